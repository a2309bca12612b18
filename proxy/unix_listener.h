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

/// adopt_unix listens on a socket that somebody else has opened and bound to `path`, who also removes it.
std::unique_ptr<Listener> adopt_unix(posix::Fd listening, const std::string& path);

}  // namespace attestbed::proxy
