// SPDX-License-Identifier: Apache-2.0
#include "proxy/unix_listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace attestbed::proxy {
namespace {

constexpr int kBacklog = 128;

std::string peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return "unknown";
  return "pid " + std::to_string(who.pid) + " uid " + std::to_string(who.uid);
}

class UnixListener final : public Listener {
 public:
  UnixListener(posix::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {
    const int flags = fcntl(fd_.get(), F_GETFL);
    if (flags >= 0) (void)fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);
  }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  std::string name() const override { return "unix:" + path_.text(); }
  int fd() const override { return fd_.get(); }
  Result<std::optional<NewLine>> accept() override {
    posix::Fd line(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (line) {
      std::string peer = peer_of(line.get());
      return std::optional<NewLine>(NewLine{std::move(line), std::move(peer)});
    }
    const bool nobody = errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR;
    if (nobody) return std::optional<NewLine>();
    return Error{Errc::transport, "accept", static_cast<std::uint64_t>(errno)};
  }

 private:
  posix::Fd fd_;
  posix::OwnedSocketPath path_;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen_on_unix(const std::string& path, posix::IfExists if_exists) {
  posix::Fd fd = TRY(posix::listen_unix(path, kBacklog, if_exists));
  return std::unique_ptr<Listener>(std::make_unique<UnixListener>(std::move(fd), path));
}

}  // namespace attestbed::proxy
