// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/clock.h"
#include "core/platform/transport.h"
#include "core/posix/fd.h"

namespace attestbed::posix {

/// FdTransport is a Transport over a stream descriptor (socket, pipe, tty), made non-blocking; every wait is a poll
/// against the deadline. A peer that goes away is `closed` on read and `transport` on write, never SIGPIPE.
class FdTransport final : public Transport {
 public:
  FdTransport(Fd fd, Clock& clock);
  Result<std::size_t> read_some(MutBytes into, Deadline until) override;
  Status write_all(Bytes from, Deadline until) override;
  int fd() const { return fd_.get(); }
  /// cancel_on makes every wait end with `closed` as soon as `fd` is readable; for shutdown. -1 = none.
  void cancel_on(int fd) { cancel_fd_ = fd; }

 private:
  Status wait(short events, Deadline until);
  Fd fd_;
  Clock& clock_;
  int cancel_fd_ = -1;
};

/// connect_unix connects to a stream socket by `until`. Errors: bad_config if the path is too long for sockaddr_un,
/// transport with errno in `found`, deadline.
Result<Fd> connect_unix(const std::string& path, Clock& clock, Deadline until);

/// listen_unix makes a listening socket with mode 0600. A path that exists is an error unless `take_over` and nobody
/// listens on it. Errors: bad_config, transport with errno in `found`.
enum class IfExists { refuse, take_over };
Result<Fd> listen_unix(const std::string& path, int backlog, IfExists if_exists);

}  // namespace attestbed::posix
