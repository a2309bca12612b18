// SPDX-License-Identifier: Apache-2.0
#include "guest/init/console.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include "core/posix/clock.h"

namespace attestbed::guest {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::size_t kAtOnce = 4096;  // more than any line but a result with everything in it

std::atomic<int> console{STDOUT_FILENO};
std::atomic<bool> stuck{false};

}  // namespace

bool write_within(int fd, std::string_view text, std::chrono::milliseconds patience) {
  posix::SteadyClock clock;
  const Deadline until = clock.now() + patience;
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote > 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
      continue;
    }
    if (wrote == 0 || (errno != EINTR && errno != EAGAIN)) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.now()).count();
    if (left <= 0) return false;
    pollfd waiting{fd, POLLOUT, 0};
    (void)::poll(&waiting, 1, static_cast<int>(left));
  }
  return true;
}

void open_console() {
  const int fd = ::open("/dev/console", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0) console.store(fd);
}

void say_on_console(std::string_view line) {
  const int fd = console.load();
  // Gathered, since the kernel's own messages come between two writes, and who reads lines takes none in halves.
  std::array<char, kAtOnce> gathered;
  std::size_t filled = 0;
  bool through = true;
  const auto let_out = [&] {
    const auto patience = stuck.load() ? std::chrono::milliseconds(0) : kPatience;
    through = through && write_within(fd, {gathered.data(), filled}, patience);
    filled = 0;
  };
  for (std::string_view part : {std::string_view("attest-guest: "), line, std::string_view("\n")}) {
    while (!part.empty()) {
      const std::size_t fits = std::min(part.size(), gathered.size() - filled);
      std::copy_n(part.begin(), fits, gathered.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += fits;
      part.remove_prefix(fits);
      if (filled == gathered.size()) let_out();
    }
  }
  let_out();
  stuck.store(!through);
}

}  // namespace attestbed::guest
