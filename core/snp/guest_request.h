// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/platform/clock.h"
#include "core/snp/vmpck.h"

namespace attestbed::snp {

/// GuestRequestExit is SW_EXITINFO2 after SNP_GUEST_REQUEST: the hypervisor's code above the firmware's (56421 section
/// 4.1; facts 6.2). Both zero: `reply` was written.
struct GuestRequestExit {
  std::uint32_t vmm = 0;
  std::uint32_t firmware = 0;
};
inline constexpr std::uint32_t kVmmInvalidLen = 1, kVmmBusy = 2;

/// GuestRequestPort carries one encrypted page to the SNP firmware and one back: GHCB on hardware, sim::Firmware in
/// process, or snp-sim behind a socket. This is as low as simulation is cut: header, AEAD, sequence numbers and retry
/// above it are the same everywhere.
class GuestRequestPort {
 public:
  /// call returns when the exit happened; `reply` may hold anything a hostile host wrote. An Error (deadline, closed,
  /// transport) means that the request's fate is unknown.
  virtual Result<GuestRequestExit> call(const Page& request, Page& reply, Deadline until) = 0;

 protected:
  ~GuestRequestPort() = default;
};

}  // namespace attestbed::snp
