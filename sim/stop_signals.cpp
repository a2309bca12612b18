// SPDX-License-Identifier: Apache-2.0
#include "sim/stop_signals.h"

#include <sys/signalfd.h>

#include <csignal>

namespace attestbed::sim {

posix::Fd take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return posix::Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace attestbed::sim
