// SPDX-License-Identifier: Apache-2.0
// What core must never do; the test core_undefined_symbols has to notice it.
#include <cstdlib>

namespace attestbed {

int* from_operator_new() {
  return new int(1);
}
void* from_malloc() {
  return std::malloc(1);
}

}  // namespace attestbed
