// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/posix/fd.h"

namespace attestbed::sim {

/// take_signals turns SIGTERM and SIGINT into a readable descriptor, before any thread exists; SIGPIPE is ignored.
posix::Fd take_signals();

}  // namespace attestbed::sim
