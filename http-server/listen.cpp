// SPDX-License-Identifier: Apache-2.0
#include "http-server/listen.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace attestbed::http {
namespace {

constexpr int kBacklog = 256;  // a burst of guests must not wait for retransmissions

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

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  const Error wrong{Errc::bad_config, kForm};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  ListenAddress address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = host;
  in_addr v4{};
  in6_addr v6{};
  if (!bracketed && ::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    address.loopback = (ntohl(v4.s_addr) >> 24) == 127;
  } else if (bracketed && ::inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) {
    address.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  } else {
    return wrong;
  }
  return address;
}

std::string ListenAddress::authority(std::uint16_t port_in_use) const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port_in_use);
}

Result<posix::Fd> listen_on(const ListenAddress& wanted, std::uint16_t& port) {
  const auto failed = [] { return Error{Errc::io_failed, "listen", static_cast<std::uint64_t>(errno)}; };
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

}  // namespace attestbed::http
