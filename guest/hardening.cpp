// SPDX-License-Identifier: Apache-2.0
#include "guest/hardening.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace attestbed::guest {

void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

void keep_out_of_swap(Bytes memory) {
  ::mlock(memory.data(), memory.size());
}

}  // namespace attestbed::guest
