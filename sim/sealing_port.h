// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_request.h"

namespace attestbed::sim {

/// SealingPort answers every guest request with octets of its maker's choice as the plaintext of a correctly sealed
/// reply: right key, sequence number, type and version. So a fuzzer reaches the parser behind the AEAD without any
/// weakness in product code.
class SealingPort final : public snp::GuestRequestPort {
 public:
  /// `plaintext` must outlive the port; octets beyond the 4000 that fit a page are left out. `key` is copied.
  SealingPort(const snp::Vmpck& key, Bytes plaintext) : key_(key.expose()), plaintext_(plaintext) {}

  /// call fails with bad_length if the plaintext is empty: no message is.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

 private:
  snp::Vmpck key_;
  Bytes plaintext_;
};

}  // namespace attestbed::sim
