// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attestbed::sim {

/// FirmwareStatus is a status of the SNP firmware, as a command's result or as STATUS in a reply (facts/snp-firmware
/// 2.7).
enum class FirmwareStatus : std::uint32_t {
  success = 0x00,
  policy_failure = 0x07,
  bad_measurement = 0x0b,
  invalid_param = 0x16,
  aead_oflow = 0x1d,
  invalid_key = 0x27,
};

constexpr std::uint32_t code_of(FirmwareStatus status) {
  return static_cast<std::uint32_t>(status);
}

}  // namespace attestbed::sim
