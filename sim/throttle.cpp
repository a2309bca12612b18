// SPDX-License-Identifier: Apache-2.0
#include "sim/throttle.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

// gcp-milan is what guests on that cloud's Milan machines see; slow is a host that answers BUSY as KVM may.
constexpr ThrottleProfile kProfiles[] = {
    {.name = "fast"},
    {.name = "gcp-milan", .request_time = 8ms, .burst = 10, .stall = 10s},
    {.name = "slow", .request_time = 250ms, .burst = 1, .stall = 2s, .stall_is_busy = true},
};

}  // namespace

std::span<const ThrottleProfile> throttle_profiles() {
  return kProfiles;
}

Result<ThrottleProfile> throttle_profile_named(std::string_view name) {
  const auto* found = std::ranges::find(kProfiles, name, &ThrottleProfile::name);
  if (found == std::end(kProfiles)) return Error{Errc::bad_config, "profile (fast, gcp-milan, slow)"};
  return *found;
}

Status Throttle::wait(std::chrono::nanoseconds time, Deadline until) {
  if (time <= 0ns) return ok();
  const Instant end = clock_.now() + time;
  clock_.wait_until(std::min<Instant>(end, until));
  if (until < end) return Error{Errc::deadline, "guest request"};
  return ok();
}

Result<bool> Throttle::admit(Deadline until) {
  const Instant now = clock_.now();
  // Whoever asked nothing for the length of a stall has had it.
  if (now - served_ >= profile_.stall) in_row_ = 0;
  if (profile_.burst != 0 && in_row_ == profile_.burst) {
    if (profile_.stall_is_busy) return false;
    TRY(wait(served_ + profile_.stall - now, until));
    in_row_ = 0;
  }
  TRY(wait(profile_.request_time, until));
  ++in_row_;
  served_ = clock_.now();
  return true;
}

}  // namespace attestbed::sim
