// SPDX-License-Identifier: Apache-2.0
#include "proxy/systemd.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

namespace attestbed::proxy {

Systemd::Systemd() {
  // Also sets FD_CLOEXEC, and finds none if LISTEN_PID is another process.
  const int given = sd_listen_fds(0);
  for (int i = 0; i < given; ++i) sockets_.emplace_back(SD_LISTEN_FDS_START + i);
  std::uint64_t microseconds = 0;
  // Twice as often as systemd wants to hear of us, as it advises.
  if (sd_watchdog_enabled(0, &microseconds) > 0) beat_ = std::chrono::microseconds(microseconds / 2);
  const char* notify = getenv("NOTIFY_SOCKET");
  const std::string socket = notify == nullptr ? "" : notify;
  clearenv();
  if (!socket.empty()) setenv("NOTIFY_SOCKET", socket.c_str(), 1);
}

void Systemd::ready(const std::string& doors) {
  (void)sd_notify(0, ("READY=1\nSTATUS=serving " + doors).c_str());
}

void Systemd::alive(std::size_t running, std::size_t waiting, std::size_t lines) {
  if (beat_ == beat_.zero()) return;
  (void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%zu attempts running, %zu waiting, %zu lines open", running, waiting, lines);
}

void Systemd::stopping() {
  (void)sd_notify(0, "STOPPING=1\nSTATUS=letting running attempts finish");
}

}  // namespace attestbed::proxy
