// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <optional>
#include <span>
#include <vector>

#include "proxy/line.h"

namespace attestbed::proxy {

/// kFrameStartPatience is how long octets on a serial line may stay without becoming the beginning of a frame.
inline constexpr std::chrono::seconds kFrameStartPatience{5};

/// IdleLines holds the lines that no attempt runs on, and tells what becomes of one when something comes, or on a
/// serial line nothing more does. An attempt begins with the first octet, on a serial line with a frame: what is none
/// costs neither an attempt nor a session, only reading it here.
class IdleLines {
 public:
  /// Became is what a line is now that it is idle no more.
  ///   asked       an attempt has begun; on a serial line `start` says with which frame
  ///   ended       its peer is gone
  ///   noisy       serial: more octets that are no frame than are skipped
  ///   dropped     serial: octets that are no frame, and then nothing; the line is as it was before them
  ///   unfinished  serial: a whole length, and then nothing
  enum class Became { asked, ended, noisy, dropped, unfinished };
  struct Left {
    Line line;
    Became became;
  };

  explicit IdleLines(Clock& clock) : clock_(clock) {}

  void add(Line line) { lines_.push_back(std::move(line)); }
  /// take_left looks at the lines, by what poll said of `fds`, and takes those that are idle no more.
  std::vector<Left> take_left(std::span<const pollfd> fds);
  /// take_least_missed takes the line that may be closed for another, if there is one: of those that say nothing and
  /// are not there for ever, one of the door with the most idle lines, there of the peer with the most lines, of those
  /// the one that has been idle for longest. So nobody keeps others out by being there.
  std::optional<Line> take_least_missed();
  /// take_unread takes every line, and gives those that hold octets which nobody has read; the others end.
  std::vector<Line> take_unread();

  /// next is when take_left will have something even if nothing comes; kNever if nothing is to be expected.
  Deadline next() const;
  std::size_t size() const { return lines_.size(); }
  /// watch adds one pollfd per line, in order.
  void watch(std::vector<pollfd>& fds) const;

 private:
  std::optional<Became> look_at(Line& line, short events);
  std::optional<Became> search(Line& line);

  Clock& clock_;
  std::vector<Line> lines_;
};

}  // namespace attestbed::proxy
