// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "guest/counting_ports.h"
#include "guest/init/words.h"
#include "guest/summary.h"

namespace attestbed::guest {

/// FileSystem is one that PID 1 mounts: where, and what the kernel calls it.
enum class FileSystem : std::uint8_t { proc, sys, dev, run, configfs };

/// Attempted is one attempt, and when its first octet was sent.
///   failure  more than the summary's error has: the file or device, and what to do; absent where the error says it all
struct Attempted {
  Summary summary;
  std::optional<std::chrono::nanoseconds> first_frame;  // since boot
  std::optional<PortCounts> ports;                      // of a UART that was driven without the kernel
  std::optional<Failure> failure;
};

/// Machine is all that PID 1 asks of kernel and hardware, so that a test can be both.
class Machine {
 public:
  /// say puts one line on the console.
  virtual void say(std::string_view line) = 0;
  /// since_boot is CLOCK_BOOTTIME: 0 is when the kernel set its clock up, after firmware and decompression.
  virtual std::chrono::nanoseconds since_boot() = 0;
  /// now is the clock of an attempt (CLOCK_MONOTONIC).
  virtual Instant now() = 0;
  virtual std::uint64_t peak_rss_kib() = 0;
  virtual Outcome<void> mount(FileSystem which) = 0;
  /// read is at most `max` octets of a file. Errors: io_failed with errno in `found`, too_large.
  virtual Result<std::string> read(const std::string& path, std::size_t max) = 0;
  /// leaves_by says how this machine is left, should the program break.
  virtual void leaves_by(std::optional<std::uint16_t> debug_exit) = 0;
  virtual Outcome<void> load_module(const std::string& name) = 0;
  /// is_snp_guest: the processor reports SEV-SNP and the kernel runs as its guest. Needs /sys.
  virtual bool is_snp_guest() = 0;
  /// start_device starts the simulated /dev/sev-guest and returns when the device is there.
  virtual Outcome<void> start_device(FirmwareWord::Type type) = 0;
  virtual void stop_device() = 0;
  /// attempt opens line and firmware, attests once, and hands the secret on.
  virtual Attempted attempt(const Words& words) = 0;
  /// become turns this process into the next program; it returns only to say why not.
  virtual Failure become(const NextWord& next) = 0;

 protected:
  ~Machine() = default;
};

}  // namespace attestbed::guest
