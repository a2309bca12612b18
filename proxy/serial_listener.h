// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/platform/clock.h"
#include "proxy/listener.h"

namespace attestbed::proxy {

/// listen_on_serial opens a terminal device as a line that lives for ever. When its other side hangs up the device is
/// opened again: after 100 ms, and after twice as long each time that it cannot be, up to 5 s. Its peer is the device,
/// whatever is plugged into it. Errors: those of posix::open_serial; a device that is missing now is a mistake in the
/// configuration, one that goes missing later is not.
Result<std::unique_ptr<Listener>> listen_on_serial(const std::string& device, Clock& clock);

}  // namespace attestbed::proxy
