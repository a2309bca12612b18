// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "core/platform/clock.h"
#include "core/platform/entropy.h"

namespace attestbed::posix {

/// SteadyClock is CLOCK_MONOTONIC.
class SteadyClock final : public Clock {
 public:
  Instant now() override;
  void wait_until(Instant until) override;
};

/// KernelEntropy is getrandom(2). Once, at early boot, the kernel's pool is not ready yet: fill waits for it, for at
/// most the `patience` given here.
///   errors  io_failed with errno in `found`: EAGAIN if the pool was not ready in time
class KernelEntropy final : public Entropy {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  using Source = ssize_t (*)(void* into, size_t size, unsigned flags);  // getrandom(2), or a test's
  explicit KernelEntropy(std::chrono::nanoseconds patience = kPatience, Source source = nullptr);
  Status fill(MutBytes into) override;

 private:
  std::chrono::nanoseconds patience_;
  Source source_;
};

}  // namespace attestbed::posix
