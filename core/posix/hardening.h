// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"

namespace attestbed::posix {

/// forbid_core_dumps keeps what this process holds out of core files, and out of reach of ptrace and /proc/PID/mem for
/// processes of the same user, for its lifetime: the limit on core files is zero and the process is not dumpable, which
/// both are read back. (The limit alone does not bind a core_pattern that is a pipe.) A program that holds secrets does
/// not start without it. What exec starts from here inherits the limit alone. Errors: io_failed with errno in `found`.
Status forbid_core_dumps();

}  // namespace attestbed::posix
