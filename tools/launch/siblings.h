// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tools/launch/failure.h"

namespace attestbed::launch {

/// sibling_program finds a program in the directory of the running one, and nowhere else: what is started is what was
/// built or installed together with it, not what a search path happens to hold.
Outcome<std::string> sibling_program(std::string_view name);

}  // namespace attestbed::launch
