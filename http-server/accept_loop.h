// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>

#include "core/posix/fd.h"

namespace attestbed::http {

/// AcceptLoop hands connections on until it is told to stop. What fails with one connection (the peer left, the
/// network, a firewall) costs that connection alone; without descriptors or memory it pauses and goes on, while the
/// connections wait in the queue. Only a listener that is none any more ends it.
struct AcceptLoop {
  int listener;
  int stop;  // readable: stop
  std::function<void(posix::Fd)> serve;
  std::function<int(int)> accept = [](int fd) { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC); };
  std::chrono::milliseconds pause{100};

  /// run returns true if `stop` became readable, false if the listener failed.
  bool run() const;
};

}  // namespace attestbed::http
