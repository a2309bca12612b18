// SPDX-License-Identifier: Apache-2.0
#include "guest/init/console.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "core/posix/clock.h"

namespace attestbed::guest {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

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
  bool through = true;
  for (const std::string_view part : {std::string_view("attest-guest: "), line, std::string_view("\n")}) {
    through = through && write_within(fd, part, stuck.load() ? std::chrono::milliseconds(0) : kPatience);
  }
  stuck.store(!through);
}

}  // namespace attestbed::guest
