// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/vm_facts.h"

#include "tools/attestbed/run_drawing.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using Time = std::optional<std::chrono::nanoseconds>;

ordered_json time_json(const Time& time) {
  return time ? ordered_json(milliseconds_of(*time)) : ordered_json();
}

std::string time_text(const Time& time) {
  return time ? "after " + milliseconds(milliseconds_of(*time)) : "not reached";
}

std::string mebibytes(std::size_t octets) {
  const std::size_t tenths = (octets * 10 + (1U << 19)) >> 20;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

ordered_json vm_json(const VmFacts& facts) {
  return {{"accelerator", facts.accelerator},
          {"reason", facts.reason},
          {"kernel_release", facts.release.empty() ? ordered_json() : ordered_json(facts.release)},
          {"memory_mib", facts.memory_mib},
          {"kernel_octets", facts.kernel_octets},
          {"initramfs_octets", facts.initramfs_octets},
          {"up_ms", time_json(facts.started.up)},
          {"first_frame_ms", time_json(facts.started.first_frame)},
          {"result_ms", time_json(facts.started.result)},
          {"peak_rss_kib", facts.peak_rss_kib}};
}

std::string vm_text(const VmFacts& facts) {
  return "vm           q35 under " + facts.accelerator + " (" + facts.reason + "), " +
         std::to_string(facts.memory_mib) + " MiB; kernel " + (facts.release.empty() ? "" : facts.release + ", ") +
         mebibytes(facts.kernel_octets) + " MiB, initramfs " + mebibytes(facts.initramfs_octets) +
         " MiB\n             from QEMU's start: attest-guest up " + time_text(facts.started.up) + ", first frame " +
         time_text(facts.started.first_frame) + ", result " + time_text(facts.started.result) + "\n";
}

}  // namespace attestbed::tools
