// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/children.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace attestbed::launch {
namespace {

// In one turn of the loop, so that a flood leaves the other descriptors theirs; and after the end, where all that a
// pipe can hold is read, but no more: a process outside the group may hold the other end and write for ever.
constexpr std::size_t kMaxPerTurn = 256 * 1024, kMaxAtEnd = 1024 * 1024;

void drain(posix::Fd& fd, Captured& into, std::size_t most) {
  std::array<char, 16 * 1024> chunk;
  for (std::size_t total = 0; fd && total < most;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got > 0) {
      into.append({chunk.data(), static_cast<std::size_t>(got)});
      total += static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == EAGAIN) {
      return;
    } else {
      fd.reset();
    }
  }
}

int poll_milliseconds(std::chrono::nanoseconds left) {
  using std::chrono::milliseconds;
  const auto rounded = std::chrono::ceil<milliseconds>(std::max(left, std::chrono::nanoseconds::zero()));
  return static_cast<int>(std::min(rounded, milliseconds(60'000)).count());
}

}  // namespace

Outcome<Child*> Children::start(const Command& command) {
  Spawned spawned = TRY(spawn(command));
  std::unique_ptr<Child> child(new Child);
  child->name_ = command.name;
  child->pid_ = spawned.pid;
  child->pid_fd_ = std::move(spawned.pid_fd);
  child->out_fd_ = std::move(spawned.out);
  child->err_fd_ = std::move(spawned.err);
  children_.push_back(std::move(child));
  return children_.back().get();
}

void Children::poll_once(std::chrono::nanoseconds at_most, Stoppable stoppable, bool& stopped) {
  std::vector<pollfd> watched;
  const auto watch = [&](int fd) { watched.push_back({.fd = fd, .events = POLLIN, .revents = 0}); };
  watch(stoppable == Stoppable::yes ? stop_fd_ : -1);
  for (const auto& child : children_) {
    for (const posix::Fd* fd : {&child->pid_fd_, &child->out_fd_, &child->err_fd_}) watch(*fd ? fd->get() : -1);
  }
  if (::poll(watched.data(), watched.size(), poll_milliseconds(at_most)) <= 0) return;
  stopped = watched[0].revents != 0;
  for (const auto& child : children_) {
    drain(child->out_fd_, child->out_, kMaxPerTurn);
    drain(child->err_fd_, child->err_, kMaxPerTurn);
  }
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (watched[1 + 3 * i].revents != 0) reap(*children_[i]);
  }
}

void Children::reap(Child& child) {
  siginfo_t info{};
  // Look without reaping: until the leader is reaped its process group id cannot be given to anybody else, so the group
  // can be killed without hitting a stranger.
  if (::waitid(P_PID, static_cast<id_t>(child.pid_), &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == 0)
    return;
  ::kill(-child.pid_, SIGKILL);
  ::waitid(P_PID, static_cast<id_t>(child.pid_), &info, WEXITED);
  child.exit_ = Exit{.by_signal = info.si_code != CLD_EXITED, .number = info.si_status};
  child.pid_fd_.reset();
  drain(child.out_fd_, child.out_, kMaxAtEnd);
  drain(child.err_fd_, child.err_, kMaxAtEnd);
  child.out_fd_.reset();
  child.err_fd_.reset();
}

Outcome<void> Children::wait_until(const std::function<bool()>& met, Deadline until, Stoppable stoppable) {
  while (!met()) {
    const auto left = until - clock_.now();
    if (left <= std::chrono::nanoseconds::zero()) return Failure{.reason = "no answer before the deadline"};
    bool stopped = false;
    poll_once(left, stoppable, stopped);
    if (stopped) return Failure{.reason = "stopped by a signal", .stopped = true};
  }
  return {};
}

Outcome<std::string> Children::wait_line(Child& child, std::string_view prefix, Deadline until) {
  std::optional<std::string> line;
  const auto met = [&] {
    line = child.out().line_starting(prefix);
    return line.has_value() || child.exit().has_value();
  };
  Outcome<void> waited = wait_until(met, until, Stoppable::yes);
  if (line) return *line;
  const std::string wanted = "its line \"" + std::string(prefix) + "…\"";
  const std::string reason = !waited ? waited.error().reason + " while waiting for " + wanted
                                     : "ended (" + child.exit()->text() + ") without " + wanted;
  return Failure{child.name(), reason, child.last_lines(), !waited && waited.error().stopped};
}

Outcome<Exit> Children::wait_exit(Child& child, Deadline until) {
  const Outcome<void> waited = wait_until([&] { return child.exit().has_value(); }, until, Stoppable::yes);
  if (waited) return *child.exit();
  return Failure{child.name(), waited.error().reason + " while waiting for its end", child.last_lines(),
                 waited.error().stopped};
}

Outcome<void> Children::wait_all(std::span<Child* const> children, Deadline until,
                                 const std::function<void(std::size_t ended)>& tell) {
  const auto all_ended = [&] {
    const auto ended = std::ranges::count_if(children, [](const Child* child) { return child->exit().has_value(); });
    if (tell) tell(static_cast<std::size_t>(ended));
    return static_cast<std::size_t>(ended) == children.size();
  };
  for (;;) {
    const Instant tick = std::min(until, clock_.now() + std::chrono::seconds(1));
    const Outcome<void> ended = wait_until(all_ended, tick, Stoppable::yes);
    if (ended || ended.error().stopped || tick == until) return ended;
  }
}

Exit Children::end(Child& child, std::chrono::nanoseconds grace) {
  const auto ended = [&] { return child.exit().has_value(); };
  if (!ended()) {
    ::kill(child.pid_, SIGTERM);
    if (!wait_until(ended, clock_.now() + grace, Stoppable::no)) {
      ::kill(-child.pid_, SIGKILL);
      // After SIGKILL only the kernel can keep a process, for as long as a device call lasts.
      while (!ended() && wait_until(ended, clock_.now() + std::chrono::seconds(60), Stoppable::no)) {
      }
    }
  }
  return child.exit().value_or(Exit{.by_signal = true, .number = SIGKILL});
}

void Children::end_all(std::chrono::nanoseconds grace) {
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) end(**child, grace);
}

}  // namespace attestbed::launch
