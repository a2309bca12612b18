// SPDX-License-Identifier: Apache-2.0
#include "guest/hardening.h"

#include <sys/mman.h>

namespace attestbed::guest {

void keep_out_of_swap(Bytes memory) {
  ::mlock(memory.data(), memory.size());
}

}  // namespace attestbed::guest
