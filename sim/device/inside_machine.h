// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "sim/firmware.h"
#include "sim/hypervisor.h"
#include "sim/launch_config.h"

namespace attestbed::sim {

/// StoppableClock is CLOCK_MONOTONIC, but every wait ends once `stop` is readable, so that a program that simulates
/// somebody slow can still be stopped.
class StoppableClock final : public Clock {
 public:
  explicit StoppableClock(int stop) : stop_(stop) {}
  Instant now() override;
  void wait_until(Instant until) override;
  bool stopped() const;

 private:
  int stop_;
};

/// InsideMachine is a whole machine in this process: firmware, one guest of it, and the host between.
class InsideMachine final : public snp::ExtendedGuestRequestPort {
 public:
  /// `clock` outlives it.
  InsideMachine(const Machine& machine, GuestContext guest, HostConfig host, StoppableClock& clock)
      : firmware_(machine, std::move(guest)), host_(firmware_, std::move(host), clock), clock_(clock) {}

  Result<snp::Vmpck> vmpck(unsigned number) const;

  /// Both are `closed` once the clock was stopped, and otherwise what Hypervisor says.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;
  Result<snp::ExtendedExit> call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                          Deadline until) override;

 private:
  Firmware firmware_;
  Hypervisor host_;
  StoppableClock& clock_;
};

}  // namespace attestbed::sim
