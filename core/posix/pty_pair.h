// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <stdlib.h>

#include <stdexcept>
#include <string>

#include "core/posix/fd.h"

namespace attestbed::posix {

/// Pty is a pseudo terminal for tests: its controlling side, and the name of the device that is its other side. Throws
/// where the machine has none.
struct Pty {
  Fd controller;
  std::string device;

  Pty() : controller(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64] = {};
    if (!controller || grantpt(controller.get()) != 0 || unlockpt(controller.get()) != 0 ||
        ptsname_r(controller.get(), name, sizeof name) != 0) {
      throw std::runtime_error("no pseudo terminal");
    }
    device = name;
  }
};

}  // namespace attestbed::posix
