// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/verify/refusal.h"
#include "tools/vm/host_checks.h"

namespace attestbed::tools {

/// check_certificates looks in `paths` (files, directories) for a VCEK or VLEK that leads to AMD's roots at the time
/// `at` and is for the TCB that the firmware reports. Never required: a verifier can fetch it. Which chip a VCEK is for
/// shows only in a report, so this says "ok" of another chip's of the same TCB.
///   unknown  no paths, or no firmware to compare with
vm::HostCheck check_certificates(const std::vector<std::string>& paths,
                                 const std::optional<vm::SnpPlatformStatus>& firmware, verify::Time at);

}  // namespace attestbed::tools
