// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/posix/fd.h"
#include "proxy/listener.h"

namespace attestbed::proxy {

/// listen_on_vsock listens on `port` for every CID. The peer is the CID, which the hypervisor gives out: a guest that
/// connects anew is the same peer. Errors: those of posix::listen_vsock.
Result<std::unique_ptr<Listener>> listen_on_vsock(std::uint32_t port);

/// adopt_vsock listens on a socket that somebody else has opened and bound to `port`.
std::unique_ptr<Listener> adopt_vsock(posix::Fd listening, std::uint32_t port);

}  // namespace attestbed::proxy
