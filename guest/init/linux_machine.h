// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/posix/clock.h"
#include "guest/init/device_process.h"
#include "guest/init/machine.h"
#include "guest/options.h"

namespace attestbed::guest {

/// LinuxMachine is the machine whose PID 1 this process is.
class LinuxMachine final : public Machine {
 public:
  void say(std::string_view line) override;
  std::chrono::nanoseconds since_boot() override;
  Instant now() override { return clock_.now(); }
  std::uint64_t peak_rss_kib() override;
  Outcome<void> mount(FileSystem which) override;
  Result<std::string> read(const std::string& path, std::size_t max) override;
  void leaves_by(std::optional<std::uint16_t> debug_exit) override;
  Outcome<void> load_module(const std::string& name) override;
  bool is_snp_guest() override;
  Outcome<void> start_device(FirmwareWord::Type type) override;
  void stop_device() override;
  Attempted attempt(const Words& words) override;
  Failure become(const NextWord& next) override;

 private:
  posix::SteadyClock clock_;
  DeviceProcess device_;
};

/// cpu_has_snp asks CPUID 0x8000001f EAX[4] (AMD64 APM volume 3, E.4.17).
bool cpu_has_snp();

}  // namespace attestbed::guest
