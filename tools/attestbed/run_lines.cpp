// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_lines.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/posix/describe.h"

namespace attestbed::tools {

using launch::Failure;
using launch::Outcome;

Outcome<void> Lines::prepare(const launch::ScratchDir& folder) {
  switch (type_) {
    case LineType::unix_socket:
    case LineType::uart:
    case LineType::com3:
    case LineType::com3_raw:
    case LineType::virtio_serial:
      proxy_socket_ = folder.file("proxy.sock");
      relay_socket_ = folder.file("relay.sock");
      return {};
    case LineType::pty:
      return prepare_ptys();
    case LineType::vsock:
      if (tamper_ == Tamper::nothing) return {};
      return Failure{.reason = "nobody sits in the middle of a vsock: choose another line"};
  }
  return {};
}

Outcome<void> Lines::connect(pid_t proxy, Clock& clock, Deadline until) {
  Relay::Plan plan{.tamper = tamper_, .open = {}, .victim = {}, .until = until};
  if (tamper_ == Tamper::kill_proxy) {
    plan.victim = posix::Fd(static_cast<int>(::syscall(SYS_pidfd_open, proxy, 0U)));
    if (!plan.victim) return Failure{"attest-proxy", std::string("cannot watch it: ") + std::strerror(errno), {}};
  }
  switch (type_) {
    case LineType::unix_socket:
    case LineType::uart:
    case LineType::com3:
    case LineType::com3_raw:
    case LineType::virtio_serial: {
      if (tamper_ == Tamper::nothing) return {};
      Result<posix::Fd> listener = posix::listen_unix(relay_socket_, 1, posix::IfExists::refuse);
      if (!listener) return Failure{.reason = relay_socket_ + ": " + posix::describe(listener.error())};
      plan.open = accept_and_connect(*std::move(listener), proxy_socket_);
      break;
    }
    case LineType::pty: {
      if (tamper_ == Tamper::nothing) return connect_ptys(clock, until);
      auto ends =
          std::make_shared<Relay::Ends>(Relay::Ends{std::move(guest_ends_[0].ours), std::move(proxy_ends_[0].ours)});
      plan.open = [ends](Clock&, int, Deadline) -> Result<Relay::Ends> { return std::move(*ends); };
      break;
    }
    case LineType::vsock:
      return {};
  }
  relay_ = TRY(Relay::start(std::move(plan), clock));
  return {};
}

std::vector<std::string> Lines::proxy_flags() const {
  if (type_ == LineType::unix_socket) return {"--unix", proxy_socket_};
  if (type_ == LineType::vsock) return {"--vsock", std::to_string(kVsockPort)};
  if (type_ != LineType::pty) return {"--unix-serial", proxy_socket_};
  std::vector<std::string> flags;
  for (const Pty& end : proxy_ends_) flags.insert(flags.end(), {"--serial", end.device});
  return flags;
}

std::vector<std::string> Lines::guest_flags(unsigned guest) const {
  if (type_ != LineType::pty) return {"--unix", socket()};
  return {"--serial", guest_ends_[guest].device};
}

std::string Lines::peer(unsigned guest, pid_t pid) const {
  if (type_ == LineType::pty) return proxy_ends_[guest].device;
  return "pid " + std::to_string(relay_ ? ::getpid() : pid);  // the relay is a part of this process
}

void Lines::stop() {
  if (relay_) relay_->stop();
  if (cable_) cable_->stop();
}

Outcome<void> Lines::prepare_ptys() {
  for (unsigned i = 0; i < guests_; ++i) {
    Pty guest_end = TRY(Pty::open());
    Pty proxy_end = TRY(Pty::open());
    guest_ends_.push_back(std::move(guest_end));
    proxy_ends_.push_back(std::move(proxy_end));
  }
  return {};
}

Outcome<void> Lines::connect_ptys(Clock& clock, Deadline until) {
  std::vector<Cable::Pair> pairs;
  for (unsigned i = 0; i < guests_; ++i) {
    pairs.push_back({std::move(guest_ends_[i].ours), std::move(proxy_ends_[i].ours)});
  }
  cable_ = TRY(Cable::start(std::move(pairs), clock, until));
  return {};
}

}  // namespace attestbed::tools
