// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/stop_signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace attestbed::launch {

StopSignal::StopSignal() {
  sigset_t stops;
  ::sigemptyset(&stops);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stops, number);
  ::pthread_sigmask(SIG_BLOCK, &stops, &before_);
  fd_ = posix::Fd(::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK));
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &pipe_before_);
}

StopSignal::~StopSignal() {
  received();  // consumed, or unblocking would deliver it again after everything was cleaned up
  ::sigaction(SIGPIPE, &pipe_before_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int StopSignal::received() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (received_ == 0) received_ = static_cast<int>(info.ssi_signo);
  }
  return received_;
}

}  // namespace attestbed::launch
