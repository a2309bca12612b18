// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "guest/counting_ports.h"
#include "guest/summary.h"

namespace attestbed::guest {

/// BootTimes is when a guest got where, since the kernel set its clock up.
///   kernel       PID 1 came up
///   init         everything was mounted, loaded and started: the attempt began; absent if it did not
///   first_frame  the first octet of the first frame was sent
///   done         the result was known
struct BootTimes {
  std::chrono::nanoseconds kernel{}, done{};
  std::optional<std::chrono::nanoseconds> init, first_frame;
  std::uint64_t peak_rss_kib = 0;
};

/// milliseconds_text is `1234.567`.
std::string milliseconds_text(std::chrono::nanoseconds time);

/// result_json is write_summary_json's object and one member more: `boot`, an object of kernel_ms, init_ms,
/// first_frame_ms, done_ms (null where it was not reached) and peak_rss_kib. With `ports` also `uart`: octets on the
/// line and, as PortCounts, accesses, intercepted and idle_polls.
std::string result_json(const Summary& summary, const BootTimes& boot, const std::optional<PortCounts>& ports = {});

/// measured_line says whether the launch digest covers the configuration.
std::string measured_line(bool snp_guest);

}  // namespace attestbed::guest
