// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace attestbed::tools {

/// VmFacts is the machine that a guest ran in, and when it got where.
///   accelerator, reason      QEMU's word, and why that one
///   release                  of the kernel; empty if only a file was named
///   started                  of QEMU, until the guest's first line, its first frame's first octet, and its result, on
///                            this machine's clock; absent where it did not get there
///   peak_rss_kib             of attest-guest, by its own account; 0 if it gave none
struct VmFacts {
  std::string accelerator, reason;
  std::string release;
  unsigned memory_mib = 0;
  std::size_t kernel_octets = 0, initramfs_octets = 0;
  struct Times {
    std::optional<std::chrono::nanoseconds> up, first_frame, result;
  } started;
  std::uint64_t peak_rss_kib = 0;
};

/// vm_json is {accelerator, reason, kernel_release (or null), memory_mib, kernel_octets, initramfs_octets, up_ms,
/// first_frame_ms, result_ms (from QEMU's start; null where it was not reached), peak_rss_kib}.
nlohmann::ordered_json vm_json(const VmFacts& facts);

/// vm_text is the same for people, two lines.
std::string vm_text(const VmFacts& facts);

}  // namespace attestbed::tools
