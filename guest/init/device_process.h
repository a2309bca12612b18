// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/platform/clock.h"
#include "guest/init/failure.h"

namespace attestbed::guest {

inline constexpr const char* kSimulatedDevice = "/bin/snp-sim-device";

/// DeviceProcess is the program behind the simulated /dev/sev-guest. What it writes to standard error is on the
/// console.
class DeviceProcess {
 public:
  DeviceProcess() = default;
  DeviceProcess(const DeviceProcess&) = delete;
  DeviceProcess& operator=(const DeviceProcess&) = delete;
  ~DeviceProcess() { stop(); }

  /// start runs `program` and waits for its line that begins with `ready`, and then for `device`.
  ///   errors  firmware_unreachable: it cannot be run, or ended (its status in the text); deadline
  Outcome<void> start(const std::string& program, const std::vector<std::string>& arguments, const std::string& device,
                      Clock& clock, Deadline until);
  /// stop ends it: SIGTERM, and SIGKILL after a quarter of a second; it waits as long for that, and no longer.
  void stop();

 private:
  Outcome<void> wait_ready(int out, const std::string& program, Clock& clock, Deadline until);
  Failure ended(const std::string& program);
  // The status it ended with; absent if it did not end.
  std::optional<int> reaped_within(std::chrono::milliseconds patience);

  pid_t pid_ = -1;
};

/// reap_orphans collects what ended and has no other parent than PID 1.
void reap_orphans();

}  // namespace attestbed::guest
