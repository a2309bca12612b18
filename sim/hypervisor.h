// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/snp/guest_request.h"
#include "sim/fault_plan.h"
#include "sim/throttle.h"

namespace attestbed::sim {

/// HostConfig is what kind of host a guest has.
///   faults        what it does to single requests
///   profile       how fast it is
///   certificates  the certificate table that it gives with extended requests; empty = it has none
struct HostConfig {
  FaultPlan faults = {};
  ThrottleProfile profile = {};
  std::vector<std::uint8_t> certificates = {};
};

/// Hypervisor stands between a guest and its firmware, as a host does: it answers extended requests, takes its time,
/// and does to the pages what its plan says.
class Hypervisor final : public snp::ExtendedGuestRequestPort {
 public:
  /// `firmware` and `clock` outlive it. `clock` is what a slow or silent host lets pass.
  Hypervisor(snp::GuestRequestPort& firmware, HostConfig config, Clock& clock);

  /// call carries the request on unless plan or profile interfere. Under `silence` it waits until `until` and returns
  /// `deadline`: the request's fate is unknown to the guest. So does a wait that the deadline ends.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

  /// call_extended is the same, with the host's certificates. If they need more room, it says INVALID_LEN before
  /// anything else happens: the firmware hears nothing, and the request does not count against the profile.
  Result<snp::ExtendedExit> call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                          Deadline until) override;

  /// last_fault is what the plan did to the latest call, null if nothing; reached_firmware says whether that call got
  /// as far as the firmware.
  const Fault* last_fault() const { return fault_; }
  bool reached_firmware() const { return reached_firmware_; }

 private:
  void begin();
  Result<snp::GuestRequestExit> carry(const snp::Page& request, snp::Page& reply, Deadline until);
  Result<snp::GuestRequestExit> ask_firmware(const snp::Page& request, snp::Page& reply, Deadline until);
  Status interfere(const snp::Page& previous, snp::Page& reply, Deadline until);
  bool fault_is(FaultKind kind) const { return fault_ != nullptr && fault_->kind == kind; }
  std::uint32_t argument(std::uint32_t usual) const { return fault_->argument.value_or(usual); }
  std::uint32_t pages_needed() const;

  snp::GuestRequestPort& firmware_;
  const HostConfig config_;
  Clock& clock_;
  Throttle throttle_;
  std::uint64_t calls_ = 0;
  const Fault* fault_ = nullptr;
  bool reached_firmware_ = false;
  snp::Page last_reply_{};
};

}  // namespace attestbed::sim
