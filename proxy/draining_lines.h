// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <algorithm>
#include <list>
#include <optional>
#include <span>
#include <vector>

#include "core/protocol/frame.h"
#include "proxy/line.h"

namespace attestbed::proxy {

/// kSerialSilence ends the draining of a serial line whose attempt lost step.
inline constexpr std::chrono::milliseconds kSerialSilence{500};

/// DrainingLines holds the lines that are not read for a session at the moment: what comes is thrown away. One that is
/// given up is drained so that its peer can finish writing and then reads the refusal instead of a reset; a serial line
/// until it falls silent, and then it is as good as new. Whatever its peer does, a line that can be closed is held no
/// longer than the limits below say; only a serial device, which is all that its door has, is drained for ever.
class DrainingLines {
 public:
  static constexpr std::chrono::seconds kToRead{1};        // for the peer of a line that is then closed
  static constexpr std::chrono::seconds kLongestDrain{5};  // of a serial line that does not fall silent
  static constexpr std::size_t kMostOctets = protocol::kFramePrefixBytes + protocol::kMaxFrameBytes;
  static constexpr std::size_t kMostLeaving = 64;

  /// Drained is a line whose draining is over: `as_new`, or to be closed.
  struct Drained {
    Line line;
    bool as_new = false;
  };

  explicit DrainingLines(Clock& clock) : clock_(clock) {}

  /// add takes the line and returns one to be closed for it: with more than kMostLeaving lines that can be closed, the
  /// one that was added first.
  std::optional<Line> add(Line line);
  /// take_drained reads what came, by what poll said of `fds`, and takes the lines whose draining is over.
  std::vector<Drained> take_drained(std::span<const pollfd> fds);

  /// next is when take_drained will have something even if nothing comes; kNever if no line is here.
  Deadline next() const;
  std::size_t size() const { return lines_.size(); }
  /// leaving is how many of the lines can be closed.
  std::size_t leaving() const { return leaving_; }
  /// watch adds one pollfd per line, in order.
  void watch(std::vector<pollfd>& fds) const;

 private:
  struct Draining {
    Line line;
    Deadline until;   // moves with each octet on a serial line
    Deadline latest;  // never moves
    std::size_t octets_left;
    Deadline end() const { return std::min(until, latest); }
  };
  using Lines = std::list<Draining>;

  bool discard(Draining& draining);
  Line take(Lines::iterator at);

  Clock& clock_;
  Lines lines_;  // in the order of arrival
  std::size_t leaving_ = 0;
};

}  // namespace attestbed::proxy
