// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/certificate.h"

namespace attestbed::tools {

inline constexpr std::size_t kMaxInputBytes = verify::kMaxPemBytes;

/// read_file reads a regular file of at most `max` octets that the command line names.
/// Errors: io_failed; too_large.
verify::Checked<std::vector<std::uint8_t>> read_file(const std::string& path, std::size_t max = kMaxInputBytes);

}  // namespace attestbed::tools
