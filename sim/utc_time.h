// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace attestbed::sim {

/// utc_text writes a time as 2025-01-01T00:00:00Z (RFC 3339, seconds, UTC); utc_time reads exactly that form, of the
/// years 1970 to 9999, and nothing else.
std::string utc_text(std::chrono::sys_seconds time);
std::optional<std::chrono::sys_seconds> utc_time(std::string_view text);

}  // namespace attestbed::sim
