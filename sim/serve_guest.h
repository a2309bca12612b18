// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/transport.h"
#include "sim/firmware.h"
#include "sim/hypervisor.h"

namespace attestbed::sim {

/// ServeLimits bound what one guest may cost the server.
struct ServeLimits {
  std::size_t max_guests = 256;
  std::chrono::nanoseconds idle = std::chrono::minutes(10);     // between two requests
  std::chrono::nanoseconds request = std::chrono::seconds(10);  // from a request's first octet, and for its answer
};

/// ServeObserver hears what happens, for logs. Called from the guests' threads, so it must be safe from any.
class ServeObserver {
 public:
  virtual void launched(std::uint64_t guest) = 0;
  /// answered follows every guest request; `fault` is what the plan did to it, null if nothing, and `call` is the
  /// firmware's record, null if the request did not reach it.
  virtual void answered(std::uint64_t guest, const snp::GuestRequestExit& exit, const CallRecord* call,
                        const Fault* fault) = 0;
  /// ended says why a guest is gone; `closed` is the orderly way.
  virtual void ended(std::uint64_t guest, const Error& why) = 0;
  /// turned_away is a connection that never became a guest.
  virtual void turned_away(const Error& why) = 0;

 protected:
  ~ServeObserver() = default;
};

/// serve_guest speaks the server's half of the page protocol (docs/firmware-socket.md) for one guest until the line
/// ends, and returns why it ended: closed; deadline; bad_value, bad_length, too_large, reserved_set, contradiction for
/// a malformed request. `clock` is also what a silent host waits on.
Error serve_guest(Transport& line, Clock& clock, Firmware& firmware, const HostConfig& host, const ServeLimits& limits,
                  std::uint64_t guest, ServeObserver& observer);

}  // namespace attestbed::sim
