// SPDX-License-Identifier: Apache-2.0
#include "core/posix/clock.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace attestbed::posix {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::chrono::milliseconds kRetry{5};

}  // namespace

Instant SteadyClock::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::nanoseconds(time.tv_sec * kNanosecondsPerSecond + time.tv_nsec));
}

void SteadyClock::wait_until(Instant until) {
  const std::int64_t ticks = until.time_since_epoch().count();
  if (ticks <= 0) return;
  const timespec time{.tv_sec = ticks / kNanosecondsPerSecond, .tv_nsec = ticks % kNanosecondsPerSecond};
  // An absolute time, so that a signal costs nothing but another call.
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

KernelEntropy::KernelEntropy(std::chrono::nanoseconds patience, Source source)
    : patience_(patience), source_(source != nullptr ? source : &getrandom) {}

// Without blocking: in a guest that starts before anything has fed the pool, a call that waits has no deadline.
Status KernelEntropy::fill(MutBytes into) {
  SteadyClock clock;
  Deadline until{};  // set by the first call that finds the pool not ready
  while (!into.empty()) {
    const ssize_t got = source_(into.data(), into.size(), GRND_NONBLOCK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      const Instant now = clock.now();
      if (until == Deadline{}) until = now + patience_;
      if (now >= until) return Error{Errc::io_failed, "getrandom: the kernel's random pool is not ready", EAGAIN};
      clock.wait_until(std::min(until, now + kRetry));
      continue;
    }
    if (got <= 0) return Error{Errc::io_failed, "getrandom", got < 0 ? static_cast<std::uint64_t>(errno) : 0};
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return ok();
}

}  // namespace attestbed::posix
