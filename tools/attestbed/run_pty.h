// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/platform/clock.h"
#include "core/posix/fd.h"
#include "tools/launch/failure.h"

namespace attestbed::tools {

/// Pty is one pseudo terminal, raw. The device is what a program opens; the other side is ours. `held` keeps the device
/// open for as long as we do, so that our side does not read its end before a program came or after it went.
struct Pty {
  posix::Fd ours, held;
  std::string device;

  static launch::Outcome<Pty> open();
};

/// Cable carries octets between pairs of descriptors, both ways, as a null modem does: it knows no frames, loses
/// nothing and keeps at most 4 KiB each way. One thread for all pairs; it ends in stop() or at its deadline.
class Cable {
 public:
  struct Pair {
    posix::Fd one, other;
  };
  static launch::Outcome<std::unique_ptr<Cable>> start(std::vector<Pair> pairs, Clock& clock, Deadline until);
  ~Cable() { stop(); }
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;
  void stop();

 private:
  Cable(std::vector<Pair> pairs, Clock& clock, Deadline until, posix::Fd stop_fd);
  void carry();

  std::vector<Pair> pairs_;
  Clock& clock_;
  Deadline until_;
  posix::Fd stop_fd_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace attestbed::tools
