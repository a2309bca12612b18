// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"

namespace attestbed::sim {

inline constexpr std::size_t kSyntheticFirmwareBytes = 64 * 1024;

/// synthetic_firmware is a file with everything that a launch reads of an OVMF built for SNP with direct boot, and no
/// code: a place for the secrets page, for CPUID, for the hashes of kernel, initrd and command line. What QEMU boots
/// without SNP has another firmware; this one stands in for what would be measured with it. Always the same octets.
/// Errors: internal.
Result<std::vector<std::uint8_t>> synthetic_firmware();

}  // namespace attestbed::sim
