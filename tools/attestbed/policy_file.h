// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/verify/policy.h"
#include "core/verify/refusal.h"

namespace attestbed::tools {

inline constexpr std::size_t kMaxPolicyBytes = 64 * 1024;

/// parse_policy reads a policy: TOML 1.0, each key at most once, no key that is not listed in docs/policy.md. What the
/// text leaves out is not asked; debug and migration agent stay refused. `path` is for messages.
///   errors  bad_config, whose field is "PATH:LINE: table.key"; too_large
verify::Checked<verify::Policy> parse_policy(std::string_view text, const std::string& path);

/// read_policy is parse_policy of a file. Errors also: io_failed.
verify::Checked<verify::Policy> read_policy(const std::string& path);

}  // namespace attestbed::tools
