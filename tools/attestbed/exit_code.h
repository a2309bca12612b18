// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/errc.h"

namespace attestbed::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCouldNotRun = 3;

/// exit_code_of is what a program ends with that was refused so: usage, could not run (a file or the KDS cannot be
/// read), or refused.
int exit_code_of(Errc code);

}  // namespace attestbed::tools
