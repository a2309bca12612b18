// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/platform/clock.h"
#include "core/snp/vmpck.h"

namespace attestbed::snp {

/// GuestRequestExit is SW_EXITINFO2 after SNP_GUEST_REQUEST: the hypervisor's code above the firmware's (56421 section
/// 4.1). Both zero: `reply` was written.
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

/// ExtendedExit is the exit of SNP_EXT_GUEST_REQUEST.
///   pages_needed  with kVmmInvalidLen, how many pages the host's certificates fill: RBX on hardware; else 0
struct ExtendedExit {
  GuestRequestExit exit;
  std::uint32_t pages_needed = 0;
};

/// ExtendedGuestRequestPort also carries SNP_EXT_GUEST_REQUEST: a host that has certificates for the guest hands them
/// over beside the reply, of its own accord and not authenticated.
class ExtendedGuestRequestPort : public GuestRequestPort {
 public:
  /// call_extended is call with room for a certificate table, whole pages of it. On success the host wrote its table
  /// there, of zero entries if it has none. kVmmInvalidLen says that the room is too small and the firmware was not
  /// asked: the guest goes on with the same page, since a number is for one plaintext. On any other exit, and after an
  /// Error, nothing is known about `certs`.
  virtual Result<ExtendedExit> call_extended(const Page& request, MutBytes certs, Page& reply, Deadline until) = 0;

 protected:
  ~ExtendedGuestRequestPort() = default;
};

}  // namespace attestbed::snp
