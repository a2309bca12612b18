// SPDX-License-Identifier: Apache-2.0
#include "proxy/draining_lines.h"

#include <algorithm>
#include <array>

namespace attestbed::proxy {
namespace {

constexpr std::chrono::milliseconds kOneRead{1};  // a deadline of `now` would not even try

bool can_be_closed(const Line& line) {
  return line.lives != Lives::for_ever;
}

}  // namespace

std::optional<Line> DrainingLines::add(Line line) {
  const Instant now = clock_.now();
  const bool is_serial = line.kind == LineKind::serial;
  const Deadline latest = can_be_closed(line) ? now + kLongestDrain : kNever;
  if (can_be_closed(line)) ++leaving_;
  lines_.push_back({.line = std::move(line),
                    .until = now + (is_serial ? std::chrono::nanoseconds(kSerialSilence) : kToRead),
                    .latest = latest,
                    .octets_left = kMostOctets});
  if (leaving_ <= kMostLeaving) return std::nullopt;
  return take(std::ranges::find_if(lines_, [](const Draining& one) { return can_be_closed(one.line); }));
}

std::vector<DrainingLines::Drained> DrainingLines::take_drained(std::span<const pollfd> fds) {
  const Instant now = clock_.now();
  std::vector<Drained> drained;
  auto polled = fds.begin();
  for (auto at = lines_.begin(); at != lines_.end() && polled != fds.end(); ++polled) {
    const auto one = at++;
    const bool goes_on = polled->revents == 0 || discard(*one);
    if (goes_on && now < one->end()) continue;
    const bool as_new = goes_on && one->line.kind == LineKind::serial && now < one->latest;
    drained.push_back({take(one), as_new});
  }
  return drained;
}

// Returns false if the line is to be closed.
bool DrainingLines::discard(Draining& draining) {
  std::array<std::uint8_t, 4096> sink;
  const Result<std::size_t> got = draining.line.wire->read_some(sink, clock_.now() + kOneRead);
  if (!got) return got.error().code == Errc::deadline;
  if (draining.line.kind == LineKind::serial) draining.until = clock_.now() + kSerialSilence;
  if (!can_be_closed(draining.line)) return true;
  draining.octets_left -= std::min(draining.octets_left, *got);
  return draining.octets_left > 0;
}

Line DrainingLines::take(Lines::iterator at) {
  Line line = std::move(at->line);
  if (can_be_closed(line)) --leaving_;
  lines_.erase(at);
  return line;
}

Deadline DrainingLines::next() const {
  Deadline next = kNever;
  for (const Draining& one : lines_) next = std::min(next, one.end());
  return next;
}

void DrainingLines::watch(std::vector<pollfd>& fds) const {
  for (const Draining& one : lines_) fds.push_back({one.line.wire->fd(), POLLIN | POLLRDHUP, 0});
}

}  // namespace attestbed::proxy
