// SPDX-License-Identifier: Apache-2.0
#include "guest/line.h"

#include <charconv>
#include <limits>

#include "core/posix/fd_transport.h"
#include "core/posix/serial_line.h"
#include "core/posix/vsock.h"

namespace attestbed::guest {
namespace {

Result<std::uint32_t> number(std::string_view text, const char* where) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value == std::numeric_limits<std::uint32_t>::max()) return Error{Errc::bad_config, where};
  return value;
}

}  // namespace

Result<LineAddress> parse_vsock(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Error{Errc::bad_config, "vsock address"};
  LineAddress address;
  address.kind = LineAddress::Kind::vsock;
  address.cid = TRY(number(text.substr(0, colon), "vsock CID"));
  address.port = TRY(number(text.substr(colon + 1), "vsock port"));
  return address;
}

Result<posix::Fd> open_line(const LineAddress& address, Clock& clock, Deadline until) {
  switch (address.kind) {
    case LineAddress::Kind::unix_socket:
      return posix::connect_unix(address.path, clock, until);
    case LineAddress::Kind::vsock:
      return posix::connect_vsock(address.cid, address.port, clock, until);
    case LineAddress::Kind::serial:
      return posix::open_serial(address.path);
  }
  return Error{Errc::internal, "LineAddress"};
}

}  // namespace attestbed::guest
