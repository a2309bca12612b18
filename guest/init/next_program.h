// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guest/init/failure.h"
#include "guest/init/words.h"

namespace attestbed::guest {

/// check_next refuses a next program that is not there, before the host is asked for anything: a secret that was handed
/// on and then powered off costs a new attempt. Errors: io_failed with errno in `found`; bad_config for a root that is
/// no mount point, is one of those that move into it, lacks a directory for them, or has no such program.
Outcome<void> check_next(const NextWord& next);

/// become_next turns this process into the next program: signals, limits and environment as the kernel gives them to an
/// init. With switch_root, /proc, /sys, /dev and /run move to the new root and the files of the initramfs are removed.
/// It returns only to say what failed.
Failure become_next(const NextWord& next);

}  // namespace attestbed::guest
