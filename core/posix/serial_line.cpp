// SPDX-License-Identifier: Apache-2.0
#include "core/posix/serial_line.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace attestbed::posix {
namespace {

Error failed(const char* what, int error) {
  return {Errc::transport, what, static_cast<std::uint64_t>(error)};
}

bool is_raw(const termios& mode) {
  constexpr tcflag_t kInput = IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF;
  constexpr tcflag_t kLocal = ECHO | ECHONL | ICANON | ISIG | IEXTEN;
  constexpr tcflag_t kControl = CSIZE | PARENB | CSTOPB | CRTSCTS | CLOCAL | CREAD;
  return (mode.c_iflag & kInput) == 0 && (mode.c_oflag & OPOST) == 0 && (mode.c_lflag & kLocal) == 0 &&
         (mode.c_cflag & kControl) == (CS8 | CLOCAL | CREAD);
}

Status make_raw(int fd) {
  termios mode{};
  if (tcgetattr(fd, &mode) != 0) return failed("tcgetattr", errno);
  cfmakeraw(&mode);
  mode.c_iflag &= ~static_cast<tcflag_t>(INPCK | IXOFF);
  mode.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
  mode.c_cflag |= CLOCAL | CREAD;
  cfsetspeed(&mode, B115200);
  // TCSANOW: the other values wait for output to drain, which a line that nobody reads never does, and TCSAFLUSH would
  // drop the request of a guest that was here first.
  if (tcsetattr(fd, TCSANOW, &mode) != 0) return failed("tcsetattr", errno);
  // It succeeds if it could do any part of what was asked (termios(3)).
  termios now{};
  if (tcgetattr(fd, &now) != 0) return failed("tcgetattr", errno);
  if (!is_raw(now)) return failed("the device does not take raw 8N1", EINVAL);
  return ok();
}

}  // namespace

Result<Fd> open_serial(const std::string& device) {
  if (device.empty() || device.find('\0') != std::string::npos) return Error{Errc::bad_config, "serial device"};
  // Non-blocking from the start: without it, open itself waits for a carrier that a virtual line may never show.
  Fd line(open(device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!line) return failed("open of the serial device", errno);
  if (isatty(line.get()) != 1) return failed("the serial device is no terminal", ENOTTY);
  if (flock(line.get(), LOCK_EX | LOCK_NB) != 0) {
    return failed("lock of the serial device", errno == EWOULDBLOCK ? EBUSY : errno);
  }
  if (ioctl(line.get(), TIOCEXCL) != 0) return failed("TIOCEXCL", errno);
  TRY(make_raw(line.get()));
  return line;
}

}  // namespace attestbed::posix
