// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "core/snp/tsc_info_message.h"
#include "sim/guest_messages.h"
#include "sim/tsc.h"

namespace attestbed::sim {
namespace {

// 1.0 in 8.32 fixed point: the guest's counter runs as the machine's does.
constexpr std::uint64_t kScaleOne = 1ULL << 32;

}  // namespace

bool is_tsc_info_size(std::uint8_t, std::size_t size) {
  return size == sizeof(snp::MsgTscInfoReq);
}

Result<Answer> answer_tsc_info(const Question& question, MutBytes reply) {
  if (!all_zero(question.payload)) {
    return Answer{FirmwareStatus::invalid_param, "MSG_TSC_INFO_REQ reserved bits", sizeof(snp::MsgTscInfoRsp)};
  }
  snp::MsgTscInfoRsp answer{};
  answer.tsc_scale = kScaleOne;
  answer.tsc_factor = kTscFactor;
  std::memcpy(reply.data(), &answer, sizeof answer);
  return Answer{.size = sizeof answer};
}

}  // namespace attestbed::sim
