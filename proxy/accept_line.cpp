// SPDX-License-Identifier: Apache-2.0
#include "proxy/accept_line.h"

#include <sys/socket.h>

#include <cerrno>

namespace attestbed::proxy {

Result<posix::Fd> accept_line(int listening) {
  posix::Fd line(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (line) return line;
  const bool nobody = errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR;
  if (nobody) return posix::Fd();
  return Error{Errc::transport, "accept", static_cast<std::uint64_t>(errno)};
}

}  // namespace attestbed::proxy
