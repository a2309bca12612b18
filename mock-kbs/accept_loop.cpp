// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/accept_loop.h"

#include <arpa/inet.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "mock-kbs/server.h"

namespace attestbed::kbs {
namespace {

constexpr int kBacklog = 256;  // a burst of guests must not wait for retransmissions

bool is_no_listener(int error) {
  return error == EBADF || error == ENOTSOCK || error == EINVAL || error == EOPNOTSUPP || error == EFAULT;
}

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const ListenAddress& from) {
  SocketAddress address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, from.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    std::memcpy(&address.storage, &v4, address.size = sizeof v4);
  } else if (::inet_pton(AF_INET6, from.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(from.port);
    std::memcpy(&address.storage, &v6, address.size = sizeof v6);
  }
  return address;
}

std::uint16_t port_of(const SocketAddress& address) {
  // Both families have the port at the same place.
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  return ntohs(v4.sin_port);
}

}  // namespace

Checked<posix::Fd> listen_on(const ListenAddress& wanted, std::uint16_t& port) {
  const auto failed = [&wanted] {
    return Refusal{Errc::io_failed, "listen", "to listen on " + wanted.authority(wanted.port),
                   std::generic_category().message(errno)};
  };
  SocketAddress address = socket_address(wanted);
  posix::Fd listener(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return failed();
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener.get(), address.generic(), address.size) != 0) return failed();
  if (::listen(listener.get(), kBacklog) != 0) return failed();
  if (::getsockname(listener.get(), address.generic(), &address.size) != 0) return failed();
  port = port_of(address);
  return listener;
}

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

}  // namespace attestbed::kbs
