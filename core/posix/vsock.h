// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/platform/clock.h"
#include "core/posix/fd.h"

namespace attestbed::posix {

/// A vsock address is a context id (one machine: 2 is the host) and a port (vsock(7)).
inline constexpr std::uint32_t kVsockLoopbackCid = 1, kVsockHostCid = 2;
inline constexpr std::uint32_t kDefaultVsockPort = 1995;

/// connect_vsock connects a stream socket to `port` of machine `cid` by `until`.
///   errors  bad_config for the wildcards (2^32-1), which name nobody; vsock_unavailable with errno in `found` where
///           the kernel has no vsock (EAFNOSUPPORT), no transport (ENODEV) or no way to that CID (ETIMEDOUT: the
///           kernel's own limit of 2 s, EHOSTUNREACH, ENETUNREACH); transport with errno in `found` otherwise,
///           ECONNRESET if nobody listens there; deadline
Result<Fd> connect_vsock(std::uint32_t cid, std::uint32_t port, Clock& clock, Deadline until);

/// listen_vsock makes a listening socket (non-blocking) on `port` for peers of every CID.
///   errors  vsock_unavailable as above; bad_config for the wildcard; transport with errno in `found`, EADDRINUSE if
///           the port is taken, EACCES if it is below 1024 and the process may not
Result<Fd> listen_vsock(std::uint32_t port, int backlog);

/// vsock_peer_cid is the machine at the other end of a connected vsock socket. The kernel says so, not the peer; of
/// processes of one machine it tells nothing. Errors: transport with errno in `found`.
Result<std::uint32_t> vsock_peer_cid(int fd);

}  // namespace attestbed::posix
