// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace attestbed {

/// Instant is a point on the caller's monotonic time line; its zero means nothing. A Deadline is the Instant after
/// which a call must have returned.
struct MonotonicTime {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicTime, duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicTime::time_point;
using Deadline = Instant;
inline constexpr Deadline kNever = Deadline::max();

/// Clock is one of the four duties of a caller of core. Interfaces are never deleted through a pointer, so that core
/// needs no heap.
class Clock {
 public:
  virtual Instant now() = 0;
  /// wait_until returns at or after `until`; a clock under a test's hand moves there instead.
  virtual void wait_until(Instant until) = 0;

 protected:
  ~Clock() = default;
};

}  // namespace attestbed
