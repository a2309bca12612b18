// SPDX-License-Identifier: Apache-2.0
#include "proxy/doors.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "proxy/serial_listener.h"
#include "proxy/unix_listener.h"
#include "proxy/vsock_listener.h"

namespace attestbed::proxy {
namespace {

using OpenDoors = Result<std::vector<std::unique_ptr<Listener>>, ShutDoor>;

int option_of(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// Whoever opened the socket may have left it blocking, as systemd does: then an accept with nobody there would stop
// every line of the proxy.
bool unblock(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

std::string path_of(const sockaddr_storage& address, socklen_t size) {
  sockaddr_un local{};
  std::memcpy(&local, &address, std::min<std::size_t>(size, sizeof local));
  const std::size_t most = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
  return {local.sun_path, strnlen(local.sun_path, std::min(most, sizeof local.sun_path))};
}

}  // namespace

OpenDoors open_doors(const Doors& doors, Clock& clock) {
  std::vector<std::unique_ptr<Listener>> open;
  for (const std::string& path : doors.unix_paths) {
    auto door = listen_on_unix(path, doors.if_exists);
    if (!door) return ShutDoor{"unix:" + path, door.error()};
    open.push_back(*std::move(door));
  }
  for (const std::string& path : doors.unix_serial_paths) {
    auto door = listen_on_unix(path, doors.if_exists, LineKind::serial);
    if (!door) return ShutDoor{"unix-serial:" + path, door.error()};
    open.push_back(*std::move(door));
  }
  if (doors.vsock_port) {
    auto door = listen_on_vsock(*doors.vsock_port);
    if (!door) return ShutDoor{"vsock:" + std::to_string(*doors.vsock_port), door.error()};
    open.push_back(*std::move(door));
  }
  for (const std::string& device : doors.serial_devices) {
    auto door = listen_on_serial(device, clock);
    if (!door) return ShutDoor{"serial:" + device, door.error()};
    open.push_back(*std::move(door));
  }
  return open;
}

Result<std::unique_ptr<Listener>, ShutDoor> adopt_door(posix::Fd socket) {
  const std::string name = "descriptor " + std::to_string(socket.get());
  const int family = option_of(socket.get(), SO_DOMAIN);
  const bool listens = option_of(socket.get(), SO_TYPE) == SOCK_STREAM && option_of(socket.get(), SO_ACCEPTCONN) == 1;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool named = getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const auto found = static_cast<std::uint64_t>(std::max(family, 0));
  if (!listens || !named) return ShutDoor{name, {Errc::bad_config, "a stream socket that listens", found}};
  if (!unblock(socket.get())) return ShutDoor{name, {Errc::io_failed, "fcntl", static_cast<std::uint64_t>(errno)}};
  if (family == AF_UNIX) return adopt_unix(std::move(socket), path_of(address, size));
  if (family == AF_VSOCK) {
    sockaddr_vm local{};
    std::memcpy(&local, &address, sizeof local);
    return adopt_vsock(std::move(socket), local.svm_port);
  }
  return ShutDoor{name, {Errc::bad_config, "a socket of the families unix or vsock", found}};
}

}  // namespace attestbed::proxy
