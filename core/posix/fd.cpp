// SPDX-License-Identifier: Apache-2.0
#include "core/posix/fd.h"

#include <unistd.h>

namespace attestbed::posix {

void Fd::reset() {
  // Not repeated after EINTR: on Linux the descriptor is gone either way, and its number may be somebody else's by now.
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace attestbed::posix
