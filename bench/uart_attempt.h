// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/attest.h"
#include "sim/uart_line.h"

namespace attestbed::bench {

/// UartAttempt is a whole attempt in one thread and in no time: attest() over guest/uart_transport over the register
/// model, simulated firmware, and a host that answers with the two frames of the recorded vector as soon as the guest
/// waits. Time is a ManualClock's that only the guest's waiting moves, so that the counts are the same every time.
class UartAttempt {
 public:
  explicit UartAttempt(sim::UartFaultPlan faults = {}, std::chrono::nanoseconds budget = std::chrono::seconds(60));
  ~UartAttempt();

  /// run runs the attempt. Errors: those of attest() and UartTransport::open.
  Result<Released> run();
  sim::UartCounts counts() const;
  /// waited is how much of its time the guest spent.
  std::chrono::nanoseconds waited() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace attestbed::bench
