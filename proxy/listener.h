// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/posix/fd.h"

namespace attestbed::proxy {

/// NewLine is a guest's line as a listener hands it over.
///   peer  who is at the other end, for logs: "pid 4711 uid 0"
struct NewLine {
  posix::Fd fd;
  std::string peer;
};

/// Listener is one front door. It never blocks.
class Listener {
 public:
  virtual ~Listener() = default;
  /// name is what the readiness line shows: "unix:/run/attest-proxy.sock".
  virtual std::string name() const = 0;
  /// fd is readable while a line waits.
  virtual int fd() const = 0;
  /// accept takes the next line; none if nobody waits any more. Errors: transport with errno in `found`.
  virtual Result<std::optional<NewLine>> accept() = 0;
};

}  // namespace attestbed::proxy
