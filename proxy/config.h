// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <variant>

#include "core/posix/fd_transport.h"
#include "proxy/backend.h"
#include "proxy/server.h"

namespace attestbed::proxy {

/// Config is the command line, checked: nothing in it is judged again.
struct Config {
  const BackendKind* protocol = nullptr;
  BrokerConfig broker;
  std::string unix_path;
  posix::IfExists if_exists = posix::IfExists::refuse;
  ServerConfig server;
  std::string log_level = "info";
};

/// parse_command_line returns the configuration, or the exit status with which the program ends now: 0 after --help or
/// --version (on `out`), 2 after one line on `err` that names the flag, what was found and what is allowed.
std::variant<Config, int> parse_command_line(int argc, const char* const* argv, const char* version, std::ostream& out,
                                             std::ostream& err);

}  // namespace attestbed::proxy
