// SPDX-License-Identifier: Apache-2.0
#include "proxy/unix_listener.h"

#include <sys/socket.h>

#include "proxy/accept_line.h"

namespace attestbed::proxy {
namespace {

constexpr int kBacklog = 128;

std::string name_of_peer(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return "unknown";
  return "pid " + std::to_string(who.pid) + " uid " + std::to_string(who.uid);
}

// Who made the path, and removes it.
enum class Path : std::uint8_t { ours, theirs };

class UnixListener final : public Listener {
 public:
  UnixListener(posix::Fd fd, std::string path, Path whose, LineKind kind)
      : fd_(std::move(fd)), path_(std::move(path)), kind_(kind) {
    if (whose == Path::ours) made_.emplace(path_);
  }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  std::string name() const override { return (kind_ == LineKind::serial ? "unix-serial:" : "unix:") + path_; }
  int fd() const override { return fd_.get(); }
  Deadline due() const override { return kNever; }
  Result<std::optional<NewLine>> accept() override {
    posix::Fd line = TRY(accept_line(fd_.get()));
    if (!line) return std::optional<NewLine>();
    std::string name = name_of_peer(line.get());
    return std::optional<NewLine>(NewLine{.fd = std::move(line),
                                          .name = std::move(name),
                                          .peer = {},
                                          .kind = kind_,
                                          .lives = Lives::opened,
                                          .after_answer = AfterAnswer::keep});
  }
  void line_ended() override {}

 private:
  posix::Fd fd_;
  std::string path_;
  LineKind kind_;
  std::optional<posix::OwnedSocketPath> made_;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen_on_unix(const std::string& path, posix::IfExists if_exists, LineKind kind) {
  posix::Fd fd = TRY(posix::listen_unix(path, kBacklog, if_exists));
  return std::unique_ptr<Listener>(std::make_unique<UnixListener>(std::move(fd), path, Path::ours, kind));
}

std::unique_ptr<Listener> adopt_unix(posix::Fd listening, const std::string& path) {
  return std::make_unique<UnixListener>(std::move(listening), path, Path::theirs, LineKind::connected);
}

}  // namespace attestbed::proxy
