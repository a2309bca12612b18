// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_request.h"
#include "sim/fault_plan.h"

namespace attestbed::sim {

/// Hypervisor stands between a guest and its firmware, as a host does, and does to the pages what its plan says.
class Hypervisor final : public snp::GuestRequestPort {
 public:
  /// `firmware` and `clock` outlive it. `clock` is what a silent host lets pass.
  Hypervisor(snp::GuestRequestPort& firmware, FaultPlan plan, Clock& clock);

  /// call carries the request on unless the plan interferes. Under `silence` it waits until `until` and returns
  /// `deadline`: the request's fate is unknown to the guest.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

  /// last_fault is what the plan did to the latest call, null if nothing; reached_firmware says whether that call got
  /// as far as the firmware.
  const Fault* last_fault() const { return fault_; }
  bool reached_firmware() const { return reached_firmware_; }

 private:
  snp::GuestRequestPort& firmware_;
  FaultPlan plan_;
  Clock& clock_;
  std::uint64_t calls_ = 0;
  const Fault* fault_ = nullptr;
  bool reached_firmware_ = false;
  snp::Page last_reply_{};
};

}  // namespace attestbed::sim
