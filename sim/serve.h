// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <thread>

#include "core/posix/fd.h"
#include "sim/launch_config.h"
#include "sim/serve_guest.h"

namespace attestbed::sim {

/// FirmwareServer gives every connection a guest of its own, each in a thread of its own: one that is silent, slow or
/// hostile costs the others nothing. Only processes of the server's own user are served.
class FirmwareServer {
 public:
  /// `config`, `clock` and `observer` outlive the server.
  FirmwareServer(const LaunchConfig& config, HostConfig host, ServeLimits limits, Clock& clock,
                 ServeObserver& observer);
  ~FirmwareServer();
  FirmwareServer(const FirmwareServer&) = delete;
  FirmwareServer& operator=(const FirmwareServer&) = delete;

  /// run accepts on `listener` until `stop` becomes readable (it is never read), then ends every guest and returns.
  /// Call once. Errors: transport with errno in `found` if the listener fails; every guest is ended then too.
  Status run(posix::Fd listener, int stop);

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> done = false;
  };
  Status accept_until(int listener, int stop);
  void accept_one(int listener, int stop);
  void serve(posix::Fd line, std::uint64_t guest);
  void end_guests();
  void join_finished();

  const LaunchConfig& config_;
  const HostConfig host_;
  const ServeLimits limits_;
  Clock& clock_;
  ServeObserver& observer_;
  const posix::Fd end_;  // an eventfd that every guest's thread watches: whatever ends the server raises it
  std::list<Worker> workers_;
  std::uint64_t guests_ = 0;
};

}  // namespace attestbed::sim
