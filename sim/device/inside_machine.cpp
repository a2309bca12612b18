// SPDX-License-Identifier: Apache-2.0
#include "sim/device/inside_machine.h"

#include <poll.h>

#include <algorithm>

#include "core/posix/clock.h"

namespace attestbed::sim {
namespace {

constexpr Error kStopped{Errc::closed, "firmware: stopped by this program"};

bool stops_within(int stop, std::chrono::nanoseconds left) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(left);
  const timespec wait{.tv_sec = whole.count(), .tv_nsec = (left - whole).count()};
  pollfd watched{stop, POLLIN, 0};
  return ::ppoll(&watched, 1, &wait, nullptr) > 0;
}

}  // namespace

Instant StoppableClock::now() {
  return posix::SteadyClock().now();
}

bool StoppableClock::stopped() const {
  return stops_within(stop_, {});
}

void StoppableClock::wait_until(Instant until) {
  constexpr std::chrono::hours kLongest(1);  // far below what a timespec holds
  while (true) {
    const auto left = until - now();
    if (left <= left.zero()) return;
    if (stops_within(stop_, std::min<std::chrono::nanoseconds>(left, kLongest))) return;
  }
}

Result<snp::Vmpck> InsideMachine::vmpck(unsigned number) const {
  snp::Page secrets = firmware_.guest().secrets_page(firmware_.machine());
  Result<snp::Vmpck> key = snp::vmpck_from_secrets_page(secrets, number);
  wipe(secrets);
  return key;
}

Result<snp::GuestRequestExit> InsideMachine::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  if (clock_.stopped()) return kStopped;
  return host_.call(request, reply, until);
}

Result<snp::ExtendedExit> InsideMachine::call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                                       Deadline until) {
  if (clock_.stopped()) return kStopped;
  return host_.call_extended(request, certs, reply, until);
}

}  // namespace attestbed::sim
