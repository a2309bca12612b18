// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/posix/fd.h"

namespace attestbed::proxy {

/// accept_line takes the next connection of a listening socket, non-blocking; an empty Fd if nobody waits any more.
/// Errors: transport with errno in `found`.
Result<posix::Fd> accept_line(int listening);

}  // namespace attestbed::proxy
