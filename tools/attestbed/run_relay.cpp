// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_relay.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "core/posix/describe.h"
#include "core/protocol/frame.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

// An honest attempt has four; on a serial line a guest may repeat its first.
constexpr int kMaxFrames = 64;

Error io_error(const char* what) {
  return {Errc::transport, what, static_cast<std::uint64_t>(errno)};
}

// Waits until one of `fds` is readable or at its end and returns its index; negative ones are passed over.
template <std::size_t N>
Result<std::size_t> first_ready(const std::array<int, N>& fds, Clock& clock, Deadline until) {
  using std::chrono::milliseconds;
  while (true) {
    std::array<pollfd, N> watched{};
    for (std::size_t i = 0; i < N; ++i) watched[i] = {.fd = fds[i], .events = POLLIN, .revents = 0};
    const auto left = until - clock.now();
    if (left <= std::chrono::nanoseconds::zero()) return Error{Errc::deadline, "relay"};
    const auto wait = std::min(std::chrono::ceil<milliseconds>(left), milliseconds(60'000));
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) return io_error("poll");
    for (std::size_t i = 0; ready > 0 && i < N; ++i) {
      if (watched[i].revents != 0) return i;
    }
  }
}

}  // namespace

launch::Outcome<std::unique_ptr<Relay>> Relay::start(Plan plan, Clock& clock) {
  posix::Fd stop_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_fd) return launch::Failure{.reason = std::string("cannot make an eventfd: ") + std::strerror(errno)};
  std::unique_ptr<Relay> relay(new Relay(std::move(plan), clock, std::move(stop_fd)));
  relay->thread_ = std::thread([owned = relay.get()] { owned->serve(); });
  return relay;
}

Relay::Relay(Plan plan, Clock& clock, posix::Fd stop_fd)
    : plan_(std::move(plan)), clock_(clock), stop_fd_(std::move(stop_fd)), frame_(protocol::kMaxFrameBytes) {}

void Relay::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_fd_.get(), &one, sizeof one);
  thread_.join();
}

void Relay::serve() {
  try {
    Result<Ends> ends = plan_.open(clock_, stop_fd_.get(), plan_.until);
    if (!ends) return note("ended", {{"reason", posix::describe(ends.error())}});
    posix::FdTransport guest(std::move(ends->guest), clock_), host(std::move(ends->host), clock_);
    guest.cancel_on(stop_fd_.get());
    host.cancel_on(stop_fd_.get());
    const Status ended = relay(guest, host);
    note("ended", {{"reason", ended ? "too many frames" : posix::describe(ended.error())}});
  } catch (const std::exception& error) {
    log_ += std::string("relay: ") + error.what() + "\n";
  }
}

Status Relay::relay(posix::FdTransport& guest, posix::FdTransport& host) {
  for (int frames = 0; frames < kMaxFrames; ++frames) {
    // Of a proxy that was killed here the end is known. The guest learns of it once it has spoken to nobody, and not in
    // the middle of its question, where chance would choose between two codes.
    if (plan_.tamper == Tamper::kill_proxy && done_) {
      TRY(protocol::receive_frame(guest, frame_, plan_.until));
      return Error{Errc::closed, "the proxy is dead"};
    }
    const std::size_t ready = TRY(first_ready<3>({stop_fd_.get(), guest.fd(), host.fd()}, clock_, plan_.until));
    if (ready == 0) return Error{Errc::closed, "relay: stopped"};
    if (ready == 1) {
      TRY(pass(Sender::guest, guest, host));
    } else {
      TRY(pass(Sender::host, host, guest));
    }
  }
  return ok();
}

Status Relay::pass(Sender from, posix::FdTransport& source, posix::FdTransport& sink) {
  const MutBytes received = TRY(protocol::receive_frame(source, frame_, plan_.until));
  std::string body(text_of(received));
  if (is_negotiation_response(from, body)) host_attestation_ = attestation_of(body);
  if (plan_.tamper == Tamper::kill_proxy && !done_ && is_negotiation_response(from, body)) {
    done_ = true;
    TRY(kill_and_wait());
  }
  if (std::optional<Tampered> tampered = done_ ? std::nullopt : tamper_with(plan_.tamper, from, body)) {
    done_ = true;
    if (is_negotiation_response(from, body)) {
      const std::string at_guest = attestation_of(tampered->body);
      tampered->note["guest_attestation"] = at_guest.empty() ? ordered_json() : ordered_json(at_guest);
    }
    note("changed", tampered->note);
    body = std::move(tampered->body);
  }
  return protocol::send_frame(sink, bytes_of(body), plan_.until);
}

// The guest gets the answer that was already out when the proxy died: it is between the phases then, for certain.
Status Relay::kill_and_wait() {
  if (::syscall(SYS_pidfd_send_signal, plan_.victim.get(), SIGKILL, nullptr, 0U) != 0) return io_error("kill");
  note("killed", {{"signal", "SIGKILL"}});
  // A pidfd is readable once its process has ended, and only then are its lines closed.
  const std::size_t ready = TRY(first_ready<2>({stop_fd_.get(), plan_.victim.get()}, clock_, plan_.until));
  if (ready == 0) return Error{Errc::closed, "relay: stopped"};
  return ok();
}

void Relay::note(const char* event, const ordered_json& fields) {
  ordered_json line = {{"program", "relay"}, {"event", event}};
  if (!host_attestation_.empty()) line["attestation"] = host_attestation_;
  line.update(fields);
  log_ += line.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::function<Result<Relay::Ends>(Clock&, int, Deadline)> accept_and_connect(posix::Fd listener,
                                                                             std::string proxy_path) {
  // A std::function is copied, a descriptor is not.
  auto owned = std::make_shared<posix::Fd>(std::move(listener));
  return [owned, path = std::move(proxy_path)](Clock& clock, int stop_fd, Deadline until) -> Result<Relay::Ends> {
    const std::size_t ready = TRY(first_ready<2>({stop_fd, owned->get()}, clock, until));
    if (ready == 0) return Error{Errc::closed, "relay: stopped"};
    posix::Fd guest(::accept4(owned->get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!guest) return io_error("accept");
    owned->reset();
    posix::Fd host = TRY(posix::connect_unix(path, clock, until));
    return Relay::Ends{std::move(guest), std::move(host)};
  };
}

}  // namespace attestbed::tools
