// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/transport.h"
#include "core/posix/fd.h"

namespace attestbed::guest {

/// LineAddress is where the proxy is met.
///   path       of the unix socket or the serial device
///   cid, port  of the proxy's vsock
struct LineAddress {
  enum class Kind : std::uint8_t { unix_socket, vsock, serial };
  Kind kind = Kind::unix_socket;
  std::string path{};
  std::uint32_t cid = 0, port = 0;

  LineKind line_kind() const { return kind == Kind::serial ? LineKind::serial : LineKind::connected; }
};

/// parse_vsock reads CID:PORT, two decimal numbers below 2^32-1. Errors: bad_config.
Result<LineAddress> parse_vsock(std::string_view text);

/// open_line connects or opens by `until`. Errors: those of connect_unix, connect_vsock and open_serial.
Result<posix::Fd> open_line(const LineAddress& address, Clock& clock, Deadline until);

}  // namespace attestbed::guest
