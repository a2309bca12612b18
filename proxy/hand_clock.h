// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: time that moves by hand.

#include <algorithm>
#include <atomic>

#include "core/platform/clock.h"

namespace attestbed::proxy {

class HandClock final : public Clock {
 public:
  Instant now() override { return now_; }
  void wait_until(Instant until) override { now_ = std::max(now_.load(), until); }
  void move(std::chrono::nanoseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<Instant> now_{};  // by one hand, but others look at it
};

}  // namespace attestbed::proxy
