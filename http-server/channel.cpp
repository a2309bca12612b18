// SPDX-License-Identifier: Apache-2.0
#include "http-server/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace attestbed::http {

ssize_t PlainChannel::receive(int socket, char* into, std::size_t size, short& waits_for) {
  const ssize_t n = ::recv(socket, into, size, MSG_DONTWAIT);
  if (n >= 0) return n;
  waits_for = POLLIN;
  return errno == EAGAIN || errno == EINTR ? kAgain : 0;
}

ssize_t PlainChannel::send(int socket, const char* from, std::size_t size, short& waits_for) {
  const ssize_t n = ::send(socket, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return n;
  waits_for = POLLOUT;
  return errno == EAGAIN || errno == EINTR ? kAgain : 0;
}

void PlainChannel::end(int socket) {
  ::shutdown(socket, SHUT_WR);
}

}  // namespace attestbed::http
