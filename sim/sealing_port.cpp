// SPDX-License-Identifier: Apache-2.0
#include "sim/sealing_port.h"

#include <algorithm>
#include <cstring>

#include "core/snp/guest_message.h"

namespace attestbed::sim {

Result<snp::GuestRequestExit> SealingPort::call(const snp::Page& request, snp::Page& reply, Deadline) {
  snp::GuestMessageHeader header;
  std::memcpy(&header, request.data(), sizeof header);
  const auto type = static_cast<snp::MsgType>(static_cast<std::uint8_t>(header.type + 1));
  const Bytes payload = plaintext_.first(std::min(plaintext_.size(), snp::kMaxPayloadBytes));
  TRY(snp::seal_guest_message(key_, {type, header.version, header.vmpck, header.seqno + 1, payload}, reply));
  return snp::GuestRequestExit{};
}

}  // namespace attestbed::sim
