// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/posix/fd_transport.h"
#include "proxy/backend.h"
#include "proxy/server.h"

namespace attestbed::proxy {

/// Doors is where guests may come in. None may be named if the supervisor hands over sockets.
///   vsock_port  absent: no vsock
struct Doors {
  std::vector<std::string> unix_paths, serial_devices;
  std::optional<std::uint32_t> vsock_port;
  posix::IfExists if_exists = posix::IfExists::refuse;
  bool empty() const { return unix_paths.empty() && serial_devices.empty() && !vsock_port; }
};

/// Config is the command line, checked: nothing in it is judged again.
struct Config {
  const BackendKind* protocol = nullptr;
  BrokerConfig broker;
  Doors doors;
  ServerConfig server;
  std::string log_level = "info";
};

/// parse_command_line returns the configuration, or the exit status with which the program ends now: 0 after --help or
/// --version (on `out`), 2 after one line on `err` that names the flag, what was found and what is allowed.
///   sockets_given  how many listening sockets the supervisor has handed over; if none, a door must be named
std::variant<Config, int> parse_command_line(int argc, const char* const* argv, const char* version,
                                             std::size_t sockets_given, std::ostream& out, std::ostream& err);

}  // namespace attestbed::proxy
