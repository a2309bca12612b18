// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

namespace attestbed::guest {

/// keep_out_of_swap locks `memory` if the limits allow it. Best effort: early boot has no swap, and a limit of zero is
/// no reason not to attest.
void keep_out_of_swap(Bytes memory);

}  // namespace attestbed::guest
