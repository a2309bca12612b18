// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "proxy/listener.h"

namespace attestbed::proxy {

/// FrontDoors are a server's listeners. They take the lines that wait at them, so many at one door and no more before
/// everybody else has had a turn, and rest for a while when the system has no descriptor to give.
class FrontDoors {
 public:
  static constexpr int kMostAccepts = 32;  // at one door in one round
  static constexpr std::chrono::milliseconds kPause{200};

  using Enter = std::function<void(NewLine, Listener& door)>;

  FrontDoors(std::vector<std::unique_ptr<Listener>> doors, Clock& clock) : clock_(clock), doors_(std::move(doors)) {}

  /// accept calls `enter` for each line that waits at a door which is due, or of which poll said something in `fds`. A
  /// door that fails is named in the log, and all of them pause.
  void accept(std::span<const pollfd> fds, const Enter& enter);
  /// shut ends the listeners; nothing may call them any more.
  void shut() { doors_.clear(); }
  bool are_shut() const { return doors_.empty(); }

  /// next is when accept is worth a call even if poll says nothing; kNever if it never is.
  Deadline next() const;
  std::size_t size() const { return doors_.size(); }
  /// watch adds one pollfd per door, in order; during a pause one that nothing comes of.
  void watch(std::vector<pollfd>& fds) const;

 private:
  bool is_pause() const { return clock_.now() < pause_until_; }
  void accept_at(Listener& door, const Enter& enter);

  Clock& clock_;
  std::vector<std::unique_ptr<Listener>> doors_;
  Deadline pause_until_{};
};

}  // namespace attestbed::proxy
