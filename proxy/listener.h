// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/platform/clock.h"
#include "core/platform/transport.h"
#include "core/posix/fd.h"

namespace attestbed::proxy {

/// AfterAnswer is what becomes of a line when an attempt has ended in step: kept for another, or closed once the peer
/// had time to read.
enum class AfterAnswer : std::uint8_t { keep, close };

/// NewLine is a guest's line as a listener hands it over.
///   name  who is at the other end, for logs: "pid 4711 uid 0"
///   peer  what this peer's attempts are counted under: lines of the same name share one budget; empty = a line of its
///         own
struct NewLine {
  posix::Fd fd;
  std::string name, peer;
  LineKind kind = LineKind::connected;
  AfterAnswer after_answer = AfterAnswer::keep;
};

/// Listener is one front door. It never blocks.
class Listener {
 public:
  virtual ~Listener() = default;
  /// name is what the readiness line shows: "unix:/run/attest-proxy.sock".
  virtual std::string name() const = 0;
  /// fd is readable while a line waits; -1 if there is nothing to poll.
  virtual int fd() const = 0;
  /// due is when accept is worth a call whatever `fd` says; kNever if only `fd` tells.
  virtual Deadline due() const = 0;
  /// accept takes the next line; none if nobody waits any more. Errors: transport with errno in `found`.
  virtual Result<std::optional<NewLine>> accept() = 0;
  /// line_ended: a line that accept gave is closed. A door that leads to one line alone has to open it again.
  virtual void line_ended() = 0;
};

}  // namespace attestbed::proxy
