// SPDX-License-Identifier: Apache-2.0
#include "core/posix/vsock.h"

#include <poll.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include <cerrno>
#include <ctime>

namespace attestbed::posix {
namespace {

Error failed(const char* what, int error) {
  switch (error) {
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case ENODEV:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ETIMEDOUT:
      return {Errc::vsock_unavailable, what, static_cast<std::uint64_t>(error)};
    default:
      return {Errc::transport, what, static_cast<std::uint64_t>(error)};
  }
}

sockaddr_vm address_of(std::uint32_t cid, std::uint32_t port) {
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

const sockaddr* generic(const sockaddr_vm& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Fd stream_socket() {
  return Fd(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// wait_connected waits until the kernel has decided about a connect, and says how.
Status wait_connected(int fd, Clock& clock, Deadline until) {
  using namespace std::chrono;
  pollfd watched{fd, POLLOUT, 0};
  for (;;) {
    timespec left{};
    if (until != kNever) {
      const nanoseconds remaining = until - clock.now();
      if (remaining <= nanoseconds::zero()) return Error{Errc::deadline, "connect"};
      const seconds whole = duration_cast<seconds>(remaining);
      left = {.tv_sec = whole.count(), .tv_nsec = (remaining - whole).count()};
    }
    const int ready = ppoll(&watched, 1, until == kNever ? nullptr : &left, nullptr);
    if (ready < 0 && errno != EINTR) return failed("poll", errno);
    if (ready <= 0) continue;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return failed("getsockopt", errno);
    if (error != 0) return failed("connect", error);
    return ok();
  }
}

}  // namespace

Result<Fd> connect_vsock(std::uint32_t cid, std::uint32_t port, Clock& clock, Deadline until) {
  if (cid == VMADDR_CID_ANY || port == VMADDR_PORT_ANY) {
    return Error{Errc::bad_config, cid == VMADDR_CID_ANY ? "vsock CID" : "vsock port",
                 cid == VMADDR_CID_ANY ? cid : port};
  }
  if (clock.now() >= until) return Error{Errc::deadline, "connect"};
  Fd line = stream_socket();
  if (!line) return failed("socket", errno);
  const sockaddr_vm address = address_of(cid, port);
  if (connect(line.get(), generic(address), sizeof address) == 0) return line;
  if (errno != EINPROGRESS && errno != EINTR) return failed("connect", errno);
  TRY(wait_connected(line.get(), clock, until));
  return line;
}

Result<Fd> listen_vsock(std::uint32_t port, int backlog) {
  if (port == VMADDR_PORT_ANY) return Error{Errc::bad_config, "vsock port", port};
  Fd listener = stream_socket();
  if (!listener) return failed("socket", errno);
  const sockaddr_vm address = address_of(VMADDR_CID_ANY, port);
  if (bind(listener.get(), generic(address), sizeof address) != 0) return failed("bind", errno);
  if (listen(listener.get(), backlog) != 0) return failed("listen", errno);
  return listener;
}

Result<std::uint32_t> vsock_peer_cid(int fd) {
  sockaddr_vm peer{};
  socklen_t size = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return failed("getpeername", errno);
  if (size < sizeof peer || peer.svm_family != AF_VSOCK) return failed("getpeername: no vsock peer", EAFNOSUPPORT);
  return peer.svm_cid;
}

}  // namespace attestbed::posix
