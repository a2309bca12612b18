// SPDX-License-Identifier: Apache-2.0
#include "tests/tapped_wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace attestbed::programs {
namespace {

struct Pair {
  posix::Fd client, server;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

posix::Fd tcp_socket() {
  posix::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw std::system_error(errno, std::generic_category(), "socket");
  return socket;
}

// What closes next is a reset.
void reset_at_close(const posix::Fd& socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool send_all(int to, const char* octets, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(to, octets, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    octets += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

TappedWire::TappedWire(std::uint16_t server_port)
    : server_port_(server_port), listener_(tcp_socket()), stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!stop_ || ::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "a port to listen on");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TappedWire::~TappedWire() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

std::string TappedWire::answers() const {
  const std::lock_guard lock(mutex_);
  return answers_;
}

// False once nothing more can come from there; `errno` is 0 if that was an end, and else what it was.
bool TappedWire::forward(int from, int to, bool is_answer) {
  std::array<char, 64 * 1024> chunk;
  const ssize_t got = ::recv(from, chunk.data(), chunk.size(), 0);
  if (got <= 0) {
    if (got == 0) errno = 0;
    return false;
  }
  if (is_answer) {
    const std::lock_guard lock(mutex_);
    answers_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  errno = 0;
  return send_all(to, chunk.data(), static_cast<std::size_t>(got));
}

void TappedWire::run() {
  std::vector<Pair> pairs;
  for (;;) {
    std::vector<pollfd> watched = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Pair& pair : pairs) {
      for (const posix::Fd* side : {&pair.client, &pair.server}) watched.push_back({side->get(), POLLIN, 0});
    }
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    for (std::size_t i = pairs.size(); i-- > 0;) {
      Pair& pair = pairs[i];
      const bool client_ready = watched[2 + 2 * i].revents != 0, server_ready = watched[3 + 2 * i].revents != 0;
      if ((!server_ready || forward(pair.server.get(), pair.client.get(), true)) &&
          (!client_ready || forward(pair.client.get(), pair.server.get(), false))) {
        continue;
      }
      if (errno == ECONNRESET) {
        reset_at_close(pair.client);
        reset_at_close(pair.server);
      }
      pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (watched[1].revents == 0) continue;
    Pair pair{posix::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)), tcp_socket()};
    const sockaddr_in server = loopback(server_port_);
    if (!pair.client || ::connect(pair.server.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
      continue;
    }
    const int on = 1;
    for (const posix::Fd* side : {&pair.client, &pair.server}) {
      ::setsockopt(side->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    pairs.push_back(std::move(pair));
  }
}

}  // namespace attestbed::programs
