// SPDX-License-Identifier: Apache-2.0
#include "sim/device/firmware_line.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "core/posix/serial_line.h"

namespace attestbed::sim {
namespace {

// A virtio port says at once that its other end is away, and does not say when it comes: looked at this often.
constexpr std::chrono::milliseconds kLookAgain(20);

Error failed(const char* what, int error) {
  return {Errc::transport, what, static_cast<std::uint64_t>(error)};
}

bool readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, 0) > 0;
}

/// pause lets a moment pass. Errors: deadline, closed.
Status pause(Clock& clock, Deadline until, int stop) {
  if (readable(stop)) return Error{Errc::closed, "--line: stopped by this program"};
  if (clock.now() >= until) return Error{Errc::deadline, "--line: nobody at the other end"};
  clock.wait_until(std::min<Instant>(clock.now() + kLookAgain, until));
  return ok();
}

/// wait_for_peer returns once the other end of a port is open.
Status wait_for_peer(int fd, Clock& clock, Deadline until, int stop) {
  while (true) {
    pollfd port{fd, POLLOUT, 0};
    if (::poll(&port, 1, 0) < 0 && errno != EINTR) return failed("--line: poll", errno);
    if ((port.revents & POLLNVAL) != 0) return failed("--line: poll", EBADF);
    if ((port.revents & POLLOUT) != 0 && (port.revents & (POLLHUP | POLLERR)) == 0) return ok();
    TRY(pause(clock, until, stop));
  }
}

Result<posix::Fd> open_port(const std::string& path) {
  // Not blocking: the open of a port does not wait for its other end, its reads and writes would.
  posix::Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return failed("--line: open", errno);
  if (isatty(fd.get()) == 0) return fd;
  fd.reset();
  return posix::open_serial(path);
}

Result<FirmwareLine> become_guest(posix::Fd line, unsigned vmpck, Clock& clock, Deadline until, int stop) {
  auto socket = posix::FirmwareSocket::over(std::move(line), clock);
  socket->cancel_on(stop);
  snp::Page secrets;
  TRY(socket->secrets_page(secrets, until));
  Result<snp::Vmpck> key = snp::vmpck_from_secrets_page(secrets, vmpck);
  wipe(secrets);
  if (!key) return key.error();
  return FirmwareLine{std::move(socket), *std::move(key)};
}

}  // namespace

Result<FirmwareLine> reach_firmware(const std::string& path, unsigned vmpck, Clock& clock, Deadline until, int stop) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return failed("--line: stat", errno);
  if (S_ISSOCK(about.st_mode)) {
    posix::Fd line = TRY(posix::connect_unix(path, clock, until));
    return become_guest(std::move(line), vmpck, clock, until, stop);
  }
  if (!S_ISCHR(about.st_mode)) return Error{Errc::bad_config, "--line is neither a socket nor a character device"};
  while (true) {
    posix::Fd line = TRY(open_port(path));
    TRY(wait_for_peer(line.get(), clock, until, stop));
    auto reached = become_guest(std::move(line), vmpck, clock, until, stop);
    // The server hangs up on a second guest on one line: the next one meets a new line.
    const bool hung_up = !reached && (reached.error().code == Errc::closed || reached.error().code == Errc::transport);
    if (!hung_up) return reached;
    TRY(pause(clock, until, stop));
  }
}

}  // namespace attestbed::sim
