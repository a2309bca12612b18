// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/clock.h"
#include "core/platform/transport.h"
#include "core/posix/fd.h"

namespace attestbed::posix {

/// FdTransport is a Transport over a stream descriptor (socket, pipe, tty), made non-blocking; every wait is a poll
/// against the deadline. A peer that goes away is `closed` on read, after what it sent before, and `transport` on
/// write, never SIGPIPE; every other failure is `transport` with errno in `found`. A call whose deadline has passed
/// fails with `deadline` even if it could proceed, so a peer that trickles octets cannot hold a caller.
class FdTransport final : public Transport {
 public:
  FdTransport(Fd fd, Clock& clock);
  Result<std::size_t> read_some(MutBytes into, Deadline until) override;
  Status write_all(Bytes from, Deadline until) override;
  int fd() const { return fd_.get(); }
  /// cancel_on makes every call end with `closed` as soon as `fd` is readable; for shutdown. -1 = none.
  void cancel_on(int fd) { cancel_fd_ = fd; }

 private:
  enum class Kind : std::uint8_t { socket, terminal, other };
  Result<short> wait(short events, Deadline until);

  Fd fd_;
  Clock& clock_;
  Kind kind_;
  int cancel_fd_ = -1;
};

/// connect_unix connects to a stream socket by `until`; it waits only while the listener's queue is full. Errors:
/// bad_config if the path is empty or too long for sockaddr_un, transport with errno in `found`, deadline.
Result<Fd> connect_unix(const std::string& path, Clock& clock, Deadline until);

/// listen_unix makes a listening socket (non-blocking) with mode 0600. A path that exists is an error unless
/// `take_over`, it is a socket, and nobody listens on it. The caller removes the path when it is done with it.
///   errors  bad_config for the path; transport with errno in `found`: EADDRINUSE if somebody listens (or, without
///           take_over, if the path exists), ENOTSOCK if it is something else, which is never touched, EWOULDBLOCK if
///           somebody else has been taking it over for 2 s (who holds a lock on PATH.lock)
enum class IfExists { refuse, take_over };
Result<Fd> listen_unix(const std::string& path, int backlog, IfExists if_exists);

/// OwnedSocketPath removes the path of a listening socket in the end, unless somebody else has put something there
/// meanwhile. Made by whoever has just called listen_unix.
class OwnedSocketPath {
 public:
  explicit OwnedSocketPath(std::string path);
  ~OwnedSocketPath();
  OwnedSocketPath(const OwnedSocketPath&) = delete;
  OwnedSocketPath& operator=(const OwnedSocketPath&) = delete;
  const std::string& text() const { return path_; }

 private:
  std::string path_;
  bool owned_ = false;
  std::uint64_t device_ = 0, inode_ = 0;
};

}  // namespace attestbed::posix
