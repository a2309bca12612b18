// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "core/platform/clock.h"

namespace attestbed::sim {

/// ManualClock is time under a test's hand: it stands still until somebody waits or advances it. Waiting moves it, so a
/// test of a minute's deadline takes microseconds. Safe from any thread.
class ManualClock final : public Clock {
 public:
  Instant now() override { return Instant(std::chrono::nanoseconds(now_.load())); }

  void wait_until(Instant until) override {
    const auto target = until.time_since_epoch().count();
    auto current = now_.load();
    while (current < target && !now_.compare_exchange_weak(current, target)) {
    }
  }

  void advance(std::chrono::nanoseconds by) { now_ += by.count(); }

 private:
  // Not zero: the zero of a time line must not pass for "no time".
  std::atomic<std::chrono::nanoseconds::rep> now_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

}  // namespace attestbed::sim
