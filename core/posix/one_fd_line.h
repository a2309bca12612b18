// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/eventfd.h>

#include <optional>
#include <stdexcept>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"

namespace attestbed::posix {

inline void must(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(what);
}

/// Cancel is what a program's signal handler would write to.
class Cancel {
 public:
  Cancel() : event_(eventfd(0, EFD_CLOEXEC)) { must(static_cast<bool>(event_), "eventfd"); }
  int fd() const { return event_.get(); }
  void now() { must(eventfd_write(event_.get(), 1) == 0, "eventfd_write"); }

 private:
  Fd event_;
};

/// OneFdLine is a line of the transport contract (core/posix/transport_contract.h) whose ends are one descriptor each.
class OneFdLine {
 public:
  Transport& near() { return *near_; }
  Transport& far() { return *far_; }
  void close_far() { far_.reset(); }
  void cancel_near() { cancel_.now(); }
  Clock& clock() { return clock_; }

 protected:
  void open(Fd near, Fd far) {
    near_.emplace(std::move(near), clock_);
    far_.emplace(std::move(far), clock_);
    near_->cancel_on(cancel_.fd());
  }

 private:
  SteadyClock clock_;
  Cancel cancel_;
  std::optional<FdTransport> near_, far_;
};

}  // namespace attestbed::posix
