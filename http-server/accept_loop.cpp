// SPDX-License-Identifier: Apache-2.0
#include "http-server/accept_loop.h"

#include <poll.h>

#include <cerrno>

namespace attestbed::http {
namespace {

bool is_no_listener(int error) {
  return error == EBADF || error == ENOTSOCK || error == EINVAL || error == EOPNOTSUPP || error == EFAULT;
}

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

bool AcceptLoop::run() const {
  for (;;) {
    pollfd watched[] = {{stop, POLLIN, 0}, {listener, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return false;
    if (watched[0].revents != 0) return true;
    if (watched[1].revents == 0) continue;
    posix::Fd line(accept(listener));
    if (line) {
      serve(std::move(line));
    } else if (is_no_listener(errno)) {
      return false;
    } else if (is_shortage(errno)) {
      // The connection stays queued, so the listener stays readable: pause instead of spinning on it.
      (void)::poll(watched, 1, static_cast<int>(pause.count()));
    }
  }
}

}  // namespace attestbed::http
