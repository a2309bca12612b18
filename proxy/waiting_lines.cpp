// SPDX-License-Identifier: Apache-2.0
#include "proxy/waiting_lines.h"

#include <algorithm>

namespace attestbed::proxy {

Line* WaitingLines::next() {
  Line* best = nullptr;
  for (Waiting& one : lines_) {
    const unsigned running = one.line.peer->running;
    if (running >= max_running_per_peer_) continue;
    // Strictly fewer: of equals the one that came first stays.
    if (best == nullptr || running < best->peer->running) best = &one.line;
  }
  return best;
}

void WaitingLines::started(const Line* line) {
  const auto at = std::ranges::find_if(lines_, [line](const Waiting& one) { return &one.line == line; });
  if (at != lines_.end()) lines_.erase(at);
}

std::optional<Line> WaitingLines::take_late(Instant now) {
  if (lines_.empty() || now < lines_.front().until) return std::nullopt;
  Line line = std::move(lines_.front().line);
  lines_.pop_front();
  return line;
}

std::vector<Line> WaitingLines::take_ended(std::span<const pollfd> fds) {
  std::vector<Line> ended;
  auto polled = fds.begin();
  for (auto at = lines_.begin(); at != lines_.end() && polled != fds.end(); ++polled) {
    if (polled->revents == 0) {
      ++at;
      continue;
    }
    ended.push_back(std::move(at->line));
    at = lines_.erase(at);
  }
  return ended;
}

std::vector<Line> WaitingLines::take_all() {
  std::vector<Line> all;
  for (Waiting& one : lines_) all.push_back(std::move(one.line));
  lines_.clear();
  return all;
}

void WaitingLines::watch(std::vector<pollfd>& fds) const {
  for (const Waiting& one : lines_) fds.push_back({one.line.wire->fd(), 0, 0});
}

}  // namespace attestbed::proxy
