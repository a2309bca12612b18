// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/binding.h"
#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// story_of draws one guest's attempt, who said what to whom with times, as far as it came; `key` is
/// what its key was to be, and `in_vm` whether it is PID 1 of a machine of its own.
std::string story_of(const GuestRun& run, protocol::KeyType key, bool in_vm);

}  // namespace attestbed::tools
