// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/posix/fd.h"
#include "proxy/server.h"

namespace attestbed::proxy {

/// Systemd is the supervisor that starts programs with descriptors and wants to be told about them (sd_listen_fds(3),
/// sd_notify(3), sd_watchdog_enabled(3)). It speaks through variables of the environment; they say who supervises and
/// with what descriptors, and change nothing of what the program does for guests. Without them everything here is a
/// no-op. Status and warnings go out as they come; nobody answers.
class Systemd final : public Supervisor {
 public:
  /// Reads the supervisor's variables and then clears the environment, whoever wrote it; only NOTIFY_SOCKET stays, for
  /// sd_notify. Call it first thing in main, before there is another thread.
  Systemd();

  /// sockets are the descriptors that were handed over, now this object's; taken once.
  std::vector<posix::Fd> take_sockets() { return std::exchange(sockets_, {}); }
  std::size_t socket_count() const { return sockets_.size(); }

  /// ready tells that guests may connect.
  void ready(const std::string& doors);

  std::chrono::nanoseconds beat() const override { return beat_; }
  void alive(std::size_t running, std::size_t waiting, std::size_t lines) override;
  void stopping() override;

 private:
  std::vector<posix::Fd> sockets_;
  std::chrono::nanoseconds beat_{};
};

}  // namespace attestbed::proxy
