// SPDX-License-Identifier: Apache-2.0
// The lines that guests have to their hosts, opened as programs open them, under the contract of every Transport.
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/vm_sockets.h>
#include <cerrno>
#include <cstring>

#include "core/posix/one_fd_line.h"
#include "core/posix/pty_pair.h"
#include "core/posix/serial_line.h"
#include "core/posix/transport_contract.h"
#include "core/posix/vsock.h"

namespace attestbed::posix {
namespace {

Fd opened(const std::string& device) {
  Result<Fd> line = open_serial(device);
  must(line.has_value(), "open_serial");
  return *std::move(line);
}

/// SerialDevice is a serial device as its user sees it; what is behind it is the far end.
struct SerialDevice : OneFdLine {
  static constexpr bool kKeepsDataOnClose = false;  // Linux hangs the terminal up, which flushes its input
  SerialDevice() {
    Pty pty;
    Fd line = opened(pty.device);
    open(std::move(line), std::move(pty.controller));
  }
};

/// SerialDeviceFromBehind is the same line from the other side.
struct SerialDeviceFromBehind : OneFdLine {
  static constexpr bool kKeepsDataOnClose = true;
  SerialDeviceFromBehind() {
    Pty pty;
    Fd line = opened(pty.device);
    open(std::move(pty.controller), std::move(line));
  }
};

/// local_vsock_error is 0 where vsock sockets of one machine reach each other, else errno. Nobody listens on the port
/// that it asks: where there is a way, it is refused at once.
int local_vsock_error() {
  const Fd probe(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return errno;
  const timeval limit{.tv_sec = 0, .tv_usec = 300'000};
  if (setsockopt(probe.get(), AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof limit) != 0) return errno;
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_LOCAL;
  address.svm_port = 0xfffffff0;
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
  return errno == ECONNRESET ? 0 : errno;
}

struct Vsock : OneFdLine {
  static constexpr bool kKeepsDataOnClose = true;

  static const std::string& why_absent() {
    static const std::string why = [] {
      const int error = local_vsock_error();
      if (error == 0) return std::string();
      return "no way to CID 1 on this machine: errno " + std::to_string(error) + ", " + std::strerror(error);
    }();
    return why;
  }

  Vsock() {
    if (!why_absent().empty()) return;
    constexpr std::uint32_t kFirstPort = 53000, kPorts = 64;  // another run of this test may have the first ones
    Result<Fd> listener = Error{Errc::internal, "Vsock"};
    std::uint32_t port = kFirstPort;
    for (; port < kFirstPort + kPorts && !listener; ++port) listener = listen_vsock(port, 1);
    must(listener.has_value(), "listen_vsock");
    Result<Fd> near = connect_vsock(kVsockLoopbackCid, port - 1, clock(), clock().now() + kPatience);
    must(near.has_value(), "connect_vsock");
    pollfd waiting{listener->get(), POLLIN, 0};
    must(poll(&waiting, 1, 60'000) == 1, "poll");
    Fd far(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    must(static_cast<bool>(far), "accept4");
    const Result<std::uint32_t> cid = vsock_peer_cid(far.get());
    must(cid && *cid == kVsockLoopbackCid, "vsock_peer_cid");
    open(*std::move(near), std::move(far));
  }
};

}  // namespace
}  // namespace attestbed::posix

// A typed suite is instantiated where its templates live.
namespace attestbed {

using GuestLines = testing::Types<posix::SerialDevice, posix::SerialDeviceFromBehind, posix::Vsock>;
class GuestLineNames {
 public:
  template <class Line>
  static std::string GetName(int) {
    if constexpr (std::is_same_v<Line, posix::SerialDevice>) return "SerialDevice";
    if constexpr (std::is_same_v<Line, posix::SerialDeviceFromBehind>) return "SerialDeviceFromBehind";
    return "Vsock";
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Guest, TransportContract, GuestLines, GuestLineNames);
INSTANTIATE_TYPED_TEST_SUITE_P(Guest, CancellableTransportContract, GuestLines, GuestLineNames);

}  // namespace attestbed
