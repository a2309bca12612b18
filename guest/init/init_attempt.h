// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/platform/clock.h"
#include "guest/init/machine.h"

namespace attestbed::guest {

/// init_attempt opens the line that `words` name, attests once over it, and hands the secret on. Whatever happens is in
/// what it returns. `since_boot` is asked when the first octet was sent.
Attempted init_attempt(const Words& words, Clock& clock, const std::function<std::chrono::nanoseconds()>& since_boot);

}  // namespace attestbed::guest
