// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <list>
#include <optional>
#include <span>
#include <vector>

#include "proxy/line.h"

namespace attestbed::proxy {

/// WaitingLines holds the lines on which an attempt has begun that no session was free for, and picks fairly: the line
/// whose peer has the fewest attempts running, of those the one that has waited longest. A peer that opens a hundred
/// lines is served no sooner than one that opens one.
class WaitingLines {
 public:
  /// max_running_per_peer  attempts of one peer at once, however many sessions are free
  /// patience              how long a line waits at most
  WaitingLines(unsigned max_running_per_peer, std::chrono::nanoseconds patience)
      : max_running_per_peer_(max_running_per_peer), patience_(patience) {}

  void add(Line line, Instant now) { lines_.push_back({std::move(line), now + patience_}); }
  /// next is the line whose turn it is; null if no peer of a waiting line may have another attempt. It stays until
  /// `started` says that a session has moved it away.
  Line* next();
  void started(const Line* line);
  /// take_late takes a line that has waited for too long, if there is one.
  std::optional<Line> take_late(Instant now);
  /// take_ended takes the lines whose peers are gone, by what poll said of `fds`.
  std::vector<Line> take_ended(std::span<const pollfd> fds);
  std::vector<Line> take_all();

  /// next_late is when take_late will have something; kNever if nobody waits.
  Deadline next_late() const { return lines_.empty() ? kNever : lines_.front().until; }
  std::size_t size() const { return lines_.size(); }
  /// watch adds one pollfd per line, in order, that reports nothing but the line's end.
  void watch(std::vector<pollfd>& fds) const;

 private:
  struct Waiting {
    Line line;
    Deadline until;
  };

  const unsigned max_running_per_peer_;
  const std::chrono::nanoseconds patience_;
  std::list<Waiting> lines_;  // in the order of arrival, which is that of `until`
};

}  // namespace attestbed::proxy
