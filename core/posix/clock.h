// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/clock.h"
#include "core/platform/entropy.h"

namespace attestbed::posix {

/// SteadyClock is CLOCK_MONOTONIC.
class SteadyClock final : public Clock {
 public:
  Instant now() override;
  void wait_until(Instant until) override;
};

/// KernelEntropy is getrandom(2) without flags: it blocks until the pool is ready, once, at early boot.
class KernelEntropy final : public Entropy {
 public:
  Status fill(MutBytes into) override;
};

}  // namespace attestbed::posix
