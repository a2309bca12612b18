// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// story_of draws one guest's attempt, who said what to whom with times, as far as it came.
std::string story_of(const GuestRun& run);

}  // namespace attestbed::tools
