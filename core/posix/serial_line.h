// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/posix/fd.h"

namespace attestbed::posix {

/// open_serial opens a terminal device as a line that carries octets as they are: raw, 8 data bits, no parity, one stop
/// bit, 115200 baud (a virtual UART ignores the rate), no echo, no flow control, no modem control, non-blocking. What
/// waits to be read stays. The device does not become the controlling terminal.
///
/// The line is this process's alone: a lock that every program of attestbed honours (flock), and TIOCEXCL against
/// others. The latter binds no process with CAP_SYS_ADMIN, and lasts until nobody has the terminal open any more: who
/// keeps one side of a pseudo terminal open keeps it for as long.
///   errors  bad_config if `device` is empty; transport with errno in `found`: ENOENT, EACCES, ENOTTY if it is no
///           terminal, EBUSY if another program has the line
Result<Fd> open_serial(const std::string& device);

}  // namespace attestbed::posix
