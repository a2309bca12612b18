// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attestbed::sim {

/// FirmwareStatus is a status of the SNP firmware, as a command's result or as STATUS in a reply (56860, status
/// codes; include/uapi/linux/psp-sev.h).
enum class FirmwareStatus : std::uint32_t {
  success = 0x00,
  invalid_guest_state = 0x02,
  policy_failure = 0x07,
  inactive = 0x08,
  bad_signature = 0x0a,
  bad_measurement = 0x0b,
  invalid_param = 0x16,
  invalid_page_size = 0x19,
  aead_oflow = 0x1d,
  invalid_key = 0x27,
};

constexpr std::uint32_t code_of(FirmwareStatus status) {
  return static_cast<std::uint32_t>(status);
}

}  // namespace attestbed::sim
