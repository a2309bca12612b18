// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

#include "core/posix/fd.h"

namespace attestbed::launch {

/// StopSignal turns SIGINT, SIGTERM and SIGHUP into a readable descriptor, so that a wait ends, the stack unwinds and
/// destructors clean up. A second signal changes nothing: cleaning up is bounded. SIGPIPE is ignored meanwhile: a
/// reader that goes away must not cost the cleaning up either. Make one, early in main, before any thread.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  int fd() const { return fd_.get(); }
  /// received returns the signal that came, 0 if none did.
  int received();

 private:
  sigset_t before_{};
  struct sigaction pipe_before_ {};
  posix::Fd fd_;
  int received_ = 0;
};

}  // namespace attestbed::launch
