// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: time that moves by hand.

#include <algorithm>

#include "core/platform/clock.h"

namespace attestbed::proxy {

class HandClock final : public Clock {
 public:
  Instant now() override { return now_; }
  void wait_until(Instant until) override { now_ = std::max(now_, until); }
  void move(std::chrono::nanoseconds by) { now_ += by; }

 private:
  Instant now_{};
};

}  // namespace attestbed::proxy
