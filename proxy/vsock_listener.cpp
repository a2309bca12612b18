// SPDX-License-Identifier: Apache-2.0
#include "proxy/vsock_listener.h"

#include "core/posix/vsock.h"
#include "proxy/accept_line.h"

namespace attestbed::proxy {
namespace {

constexpr int kBacklog = 128;

class VsockListener final : public Listener {
 public:
  VsockListener(posix::Fd fd, std::uint32_t port) : fd_(std::move(fd)), port_(port) {}

  std::string name() const override { return "vsock:" + std::to_string(port_); }
  int fd() const override { return fd_.get(); }
  Deadline due() const override { return kNever; }
  Result<std::optional<NewLine>> accept() override {
    posix::Fd line = TRY(accept_line(fd_.get()));
    if (!line) return std::optional<NewLine>();
    // A peer that is gone already has no CID any more. It shares a budget with all of its like.
    const auto cid = posix::vsock_peer_cid(line.get());
    std::string name = cid ? "cid " + std::to_string(*cid) : "cid unknown";
    return std::optional<NewLine>(NewLine{.fd = std::move(line),
                                          .name = name,
                                          .peer = std::move(name),
                                          .kind = LineKind::connected,
                                          .after_answer = AfterAnswer::close});
  }
  void line_ended() override {}

 private:
  posix::Fd fd_;
  std::uint32_t port_;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen_on_vsock(std::uint32_t port) {
  posix::Fd fd = TRY(posix::listen_vsock(port, kBacklog));
  return adopt_vsock(std::move(fd), port);
}

std::unique_ptr<Listener> adopt_vsock(posix::Fd listening, std::uint32_t port) {
  return std::make_unique<VsockListener>(std::move(listening), port);
}

}  // namespace attestbed::proxy
