// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_pty.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace attestbed::tools {
namespace {

using launch::Failure;
using launch::Outcome;

Failure failure(const char* what) {
  return {.program = {}, .reason = std::string(what) + ": " + std::strerror(errno)};
}

/// Direction is one wire of a cable.
class Direction {
 public:
  Direction(int from, int to) : from_(from), to_(to) {}

  /// what_next is what to wait for: octets, or room for those that we have. A dead wire waits for nothing.
  pollfd what_next() const {
    if (dead_) return {.fd = -1, .events = 0, .revents = 0};
    const bool full = at_ < end_;
    return {.fd = full ? to_ : from_, .events = static_cast<short>(full ? POLLOUT : POLLIN), .revents = 0};
  }

  void go_on() {
    const bool writes = at_ < end_;
    const ssize_t moved =
        writes ? ::write(to_, buffer_.data() + at_, end_ - at_) : ::read(from_, buffer_.data(), buffer_.size());
    if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (moved <= 0) {
      dead_ = true;
    } else if (writes) {
      at_ += static_cast<std::size_t>(moved);
    } else {
      at_ = 0;
      end_ = static_cast<std::size_t>(moved);
    }
  }

 private:
  int from_, to_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0, end_ = 0;
  bool dead_ = false;
};

}  // namespace

Outcome<Pty> Pty::open() {
  Pty pty;
  pty.ours = posix::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!pty.ours) return failure("cannot make a pseudo terminal");
  std::array<char, 128> name{};
  if (::grantpt(pty.ours.get()) != 0 || ::unlockpt(pty.ours.get()) != 0 ||
      ::ptsname_r(pty.ours.get(), name.data(), name.size()) != 0) {
    return failure("cannot name a pseudo terminal");
  }
  pty.device = name.data();
  pty.held = posix::Fd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (!pty.held || ::tcgetattr(pty.held.get(), &settings) != 0) return failure("cannot open a pseudo terminal");
  ::cfmakeraw(&settings);  // before the first program opens it: nothing may be echoed meanwhile
  if (::tcsetattr(pty.held.get(), TCSANOW, &settings) != 0) return failure("cannot set a pseudo terminal");
  return pty;
}

Outcome<std::unique_ptr<Cable>> Cable::start(std::vector<Pair> pairs, Clock& clock, Deadline until) {
  posix::Fd stop_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_fd) return failure("cannot make an eventfd");
  std::unique_ptr<Cable> cable(new Cable(std::move(pairs), clock, until, std::move(stop_fd)));
  cable->thread_ = std::thread([owned = cable.get()] { owned->carry(); });
  return cable;
}

Cable::Cable(std::vector<Pair> pairs, Clock& clock, Deadline until, posix::Fd stop_fd)
    : pairs_(std::move(pairs)), clock_(clock), until_(until), stop_fd_(std::move(stop_fd)) {}

void Cable::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_fd_.get(), &one, sizeof one);
  thread_.join();
}

void Cable::carry() {
  std::vector<Direction> wires;
  for (const Pair& pair : pairs_) {
    for (const int fd : {pair.one.get(), pair.other.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    wires.emplace_back(pair.one.get(), pair.other.get());
    wires.emplace_back(pair.other.get(), pair.one.get());
  }
  std::vector<pollfd> watched(wires.size() + 1);
  while (clock_.now() < until_) {
    std::ranges::transform(wires, watched.begin(), &Direction::what_next);
    watched.back() = {.fd = stop_fd_.get(), .events = POLLIN, .revents = 0};
    constexpr int kAtMostMilliseconds = 10'000;  // then the deadline is looked at again
    if (::poll(watched.data(), watched.size(), kAtMostMilliseconds) < 0 && errno != EINTR) return;
    if (watched.back().revents != 0) return;
    for (std::size_t i = 0; i < wires.size(); ++i) {
      if (watched[i].revents != 0) wires[i].go_on();
    }
  }
}

}  // namespace attestbed::tools
