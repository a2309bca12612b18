// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/platform/clock.h"

namespace attestbed::sim {

/// ThrottleProfile is how fast a host carries one guest's requests to the firmware, as data.
///   name          of `snp-sim serve --profile`
///   request_time  each request takes this long
///   burst         so many in a row; the next is held for `stall` and begins a new row, as does one that comes when the
///                 guest asked nothing for as long; 0 = no end to a row
///   stall_is_busy whoever asks during the stall is told BUSY instead of being held
struct ThrottleProfile {
  std::string_view name = "fast";
  std::chrono::nanoseconds request_time{0};
  unsigned burst = 0;
  std::chrono::nanoseconds stall{0};
  bool stall_is_busy = false;
};

/// throttle_profiles are those that have a name; the first is what a host does unless told otherwise.
std::span<const ThrottleProfile> throttle_profiles();

/// throttle_profile_named finds one. Errors: bad_config.
Result<ThrottleProfile> throttle_profile_named(std::string_view name);

/// Throttle is a profile at work for one guest.
class Throttle {
 public:
  Throttle(const ThrottleProfile& profile, Clock& clock) : profile_(profile), clock_(clock) {}

  /// admit is called for a request and waits as the profile says; false: tell the guest BUSY. Errors: deadline, if the
  /// wait would last beyond `until`; it then lasted until then, and the request is not to be served.
  Result<bool> admit(Deadline until);

 private:
  Status wait(std::chrono::nanoseconds time, Deadline until);

  const ThrottleProfile profile_;
  Clock& clock_;
  unsigned in_row_ = 0;
  Instant served_{};  // the end of the latest request
};

}  // namespace attestbed::sim
