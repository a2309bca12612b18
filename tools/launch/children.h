// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/platform/clock.h"
#include "tools/launch/child.h"

namespace attestbed::launch {

/// Children owns processes. While it waits for one it reads what all of them write, so none blocks on a full pipe; it
/// ends them in reverse order of their start, at the latest in its destructor. Use it from one thread, which must
/// outlive it: the kernel kills the children when that thread ends, however it ends.
class Children {
 public:
  static constexpr std::chrono::seconds kGrace{5};

  /// `stop_fd` ends every wait with Failure::stopped as soon as it is readable (StopSignal::fd()); -1 = none.
  explicit Children(Clock& clock, int stop_fd = -1) : clock_(clock), stop_fd_(stop_fd) {}
  ~Children() { end_all(); }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// start runs `command`. The Child lives as long as this object.
  Outcome<Child*> start(const Command& command);

  /// wait_line waits for a line on standard output that begins with `prefix` and returns it whole. Fails if the
  /// process ends first or the deadline passes; the Failure has the last lines it wrote.
  Outcome<std::string> wait_line(Child& child, std::string_view prefix, Deadline until);

  /// wait_exit waits until the process has ended and everything it wrote was read.
  Outcome<Exit> wait_exit(Child& child, Deadline until);

  /// wait_all waits until every one of `children` has ended. `tell` hears how many have, whenever something
  /// happened and every second.
  Outcome<void> wait_all(std::span<Child* const> children, Deadline until,
                         const std::function<void(std::size_t ended)>& tell = {});

  /// end asks with SIGTERM, waits up to `grace`, then kills. Whatever is left of its process group (grandchildren) is
  /// killed in any case. Returns how it ended; of a process that had ended already, how it did.
  Exit end(Child& child, std::chrono::nanoseconds grace = kGrace);
  void end_all(std::chrono::nanoseconds grace = kGrace);

  const std::vector<std::unique_ptr<Child>>& all() const { return children_; }

 private:
  enum class Stoppable { yes, no };
  Outcome<void> wait_until(const std::function<bool()>& met, Deadline until, Stoppable stoppable);
  void poll_once(std::chrono::nanoseconds at_most, Stoppable stoppable, bool& stopped);
  void reap(Child& child);

  Clock& clock_;
  const int stop_fd_;
  std::vector<std::unique_ptr<Child>> children_;
};

}  // namespace attestbed::launch
