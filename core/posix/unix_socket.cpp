// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"
#include "core/posix/path.h"

namespace attestbed::posix {
namespace {

// Taking over takes a few system calls; whoever holds the lock for longer is not about to let go.
constexpr std::chrono::seconds kLockPatience{2};

Error failed(const char* what, int error) {
  return {Errc::transport, what, static_cast<std::uint64_t>(error)};
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // One octet stays for the terminator. A leading NUL would name the abstract namespace, where modes do not exist.
  constexpr std::size_t kMax = sizeof address.sun_path - 1;
  if (path.empty() || path.size() > kMax || path.find('\0') != std::string::npos) {
    return Error{Errc::bad_config, "length of the socket path", path.size(), kMax};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Fd stream_socket() {
  return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// remove_stale removes a socket that nobody listens on. ENOENT is success: nothing is in the way.
Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat about {};
  if (lstat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return ok();
    return failed("lstat of the socket path", errno);
  }
  if (!S_ISSOCK(about.st_mode)) return failed("the path exists and is no socket", ENOTSOCK);
  const Fd probe = stream_socket();
  if (!probe) return failed("socket", errno);
  // Only a refused connection proves that nobody listens. A full queue (EAGAIN) is a busy listener, and an error of
  // permission proves nothing.
  if (connect(probe.get(), generic(address), sizeof address) == 0) return failed("somebody listens there", EADDRINUSE);
  if (errno == EAGAIN) return failed("somebody listens there", EADDRINUSE);
  if (errno != ECONNREFUSED) return failed("connect to the existing socket", errno);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return failed("unlink of the stale socket", errno);
  return ok();
}

/// lock_name waits until nobody else is making or taking over the socket `path`. It locks a file beside it, mode 0600:
/// who may lock that is who may use the socket, which no lock on a directory that others may read could promise, and
/// sockets with other names are not affected. The lock goes with the descriptor; the caller removes the file before.
Result<Fd> lock_name(const std::string& path) {
  SteadyClock clock;
  const Deadline until = clock.now() + kLockPatience;
  const std::string beside = path + ".lock";
  for (;;) {
    Fd lock(open(beside.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!lock) return failed("open of the socket's lock file", errno);
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      // Whoever held it may have removed the file: then this locks a file that nobody else can find.
      struct stat locked {
      }, named{};
      const bool same = fstat(lock.get(), &locked) == 0 && lstat(beside.c_str(), &named) == 0 &&
                        locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
      if (same) return lock;
    } else if (errno != EWOULDBLOCK && errno != EINTR) {
      return failed("lock of the socket's lock file", errno);
    }
    const Instant now = clock.now();
    if (now >= until) return failed("somebody else is taking the socket over", EWOULDBLOCK);
    clock.wait_until(std::min(until, now + std::chrono::milliseconds(5)));
  }
}

/// bind_private gives the socket its name, mode 0600, and lets it listen.
Status bind_private(const Fd& listener, const std::string& path, const sockaddr_un& address, int backlog) {
  // Linux gives the name in the file system the mode of the socket, less the umask. So the mode is set before there is
  // a name: no moment in which others may connect, and no umask, which threads share.
  if (fchmod(listener.get(), S_IRUSR | S_IWUSR) != 0) return failed("fchmod of the socket", errno);
  if (bind(listener.get(), generic(address), sizeof address) != 0) return failed("bind", errno);
  struct stat about {};
  const bool is_private = lstat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode) && (about.st_mode & 07177) == 0;
  if (is_private && listen(listener.get(), backlog) == 0) return ok();
  const int error = is_private ? errno : EPERM;
  unlink(path.c_str());
  return failed(is_private ? "listen" : "the file system does not keep the socket's mode 0600", error);
}

}  // namespace

Result<Fd> connect_unix(const std::string& path, Clock& clock, Deadline until) {
  const sockaddr_un address = TRY(address_of(path));
  Fd line = stream_socket();
  if (!line) return failed("socket", errno);
  for (;;) {
    const Instant now = clock.now();
    if (now >= until) return Error{Errc::deadline, "connect"};
    if (connect(line.get(), generic(address), sizeof address) == 0 || errno == EISCONN) return line;
    // A full queue is told by EAGAIN, and no descriptor becomes ready when it drains (unix(7)).
    if (errno == EAGAIN) {
      clock.wait_until(std::min(until, now + std::chrono::milliseconds(5)));
    } else if (errno != EINTR) {
      return failed("connect", errno);
    }
  }
}

Result<Fd> listen_unix(const std::string& path, int backlog, IfExists if_exists) {
  const sockaddr_un address = TRY(address_of(path));
  Fd listener = stream_socket();
  if (!listener) return failed("socket", errno);
  if (if_exists == IfExists::refuse) {
    TRY(bind_private(listener, path, address, backlog));
    return listener;
  }
  // Two programs that both find the same stale socket must not each remove what the other has just bound.
  const Fd lock = TRY(lock_name(path));
  Status listens = remove_stale(path, address);
  if (listens) listens = bind_private(listener, path, address, backlog);
  unlink((path + ".lock").c_str());
  if (!listens) return listens.error();
  return listener;
}

OwnedSocketPath::OwnedSocketPath(std::string path) : path_(std::move(path)) {
  struct stat made {};
  owned_ = lstat(path_.c_str(), &made) == 0;
  device_ = made.st_dev;
  inode_ = made.st_ino;
}

OwnedSocketPath::~OwnedSocketPath() {
  struct stat now {};
  if (owned_ && lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) unlink(path_.c_str());
}

}  // namespace attestbed::posix
