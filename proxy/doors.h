// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/platform/clock.h"
#include "proxy/config.h"
#include "proxy/listener.h"

namespace attestbed::proxy {

/// ShutDoor is a door that cannot be opened, and why.
struct ShutDoor {
  std::string name;
  Error error;
};

/// open_doors opens every door that the configuration names, in the order unix, unix-serial, vsock, serial. What was
/// opened before one that fails is shut again.
Result<std::vector<std::unique_ptr<Listener>>, ShutDoor> open_doors(const Doors& doors, Clock& clock);

/// adopt_door makes a door of a socket that the supervisor has opened, bound and set to listen: a stream socket over
/// unix or vsock, which no longer blocks then. Errors: bad_config with the family in `found` if it is anything else;
/// io_failed with errno.
Result<std::unique_ptr<Listener>, ShutDoor> adopt_door(posix::Fd socket);

}  // namespace attestbed::proxy
