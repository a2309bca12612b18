// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/posix/fd_transport.h"
#include "proxy/listener.h"

namespace attestbed::proxy {

/// listen_on_unix opens a stream socket at `path`, mode 0600: only processes of the proxy's own user may connect. The
/// path is removed when the listener dies, unless somebody else has put another socket there.
/// Errors: those of posix::listen_unix.
Result<std::unique_ptr<Listener>> listen_on_unix(const std::string& path, posix::IfExists if_exists);

}  // namespace attestbed::proxy
