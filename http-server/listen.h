// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/posix/fd.h"

namespace attestbed::http {

/// ListenAddress is a numeric address and a port, `127.0.0.1:8080` or `[::1]:8080`; port 0 lets the system choose.
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  bool loopback = true;

  /// kForm says in words what parse takes.
  static constexpr char kForm[] = "a numeric address and a port, 127.0.0.1:8080 or [::1]:8080";
  /// parse takes no names, so that nothing but the text decides where the server can be reached. Errors: bad_config.
  static Result<ListenAddress> parse(std::string_view text);
  /// authority is host and `port_in_use` as a URL has them.
  std::string authority(std::uint16_t port_in_use) const;
};

/// listen_on makes a listening TCP socket, non-blocking, and sets `port` to the one in use. Not SO_REUSEPORT: another
/// process could listen on the same port and take our peers. Errors: io_failed with errno in `found`.
Result<posix::Fd> listen_on(const ListenAddress& address, std::uint16_t& port);

}  // namespace attestbed::http
