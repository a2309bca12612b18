// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace attestbed::fuzz {

/// must aborts with the property's words if it does not hold: libFuzzer and the replay test both take that for a crash.
inline void must(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", property);
  std::abort();
}

}  // namespace attestbed::fuzz
