// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attestbed::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCouldNotRun = 3;

}  // namespace attestbed::tools
