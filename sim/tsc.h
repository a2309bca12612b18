// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attestbed::sim {

/// kTscFactor is by how many 1/100000 the mean frequency of the machine's time stamp counter is below the nominal one:
/// 0.2 %, as a Genoa firmware says. Guests read it in the secrets page and in MSG_TSC_INFO_RSP.
inline constexpr std::uint32_t kTscFactor = 200;

}  // namespace attestbed::sim
