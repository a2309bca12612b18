// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

namespace attestbed::guest {

/// forbid_core_dumps keeps this process out of core files and away from debuggers of the same user, for its lifetime.
void forbid_core_dumps();

/// keep_out_of_swap locks `memory` if the limits allow it. Best effort: early boot has no swap, and a limit of zero is
/// no reason not to attest.
void keep_out_of_swap(Bytes memory);

}  // namespace attestbed::guest
