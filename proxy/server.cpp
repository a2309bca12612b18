// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/log/event_log.h"
#include "core/protocol/frame.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using log::Level;

constexpr auto kLeavingTime = 1s;
constexpr std::size_t kLeavingOctets = protocol::kFramePrefixBytes + protocol::kMaxFrameBytes;
constexpr std::size_t kMaxLeaving = 64;
constexpr auto kPatience = 1ms;     // of the poll loop with one line; a deadline of `now` would not even try
constexpr auto kLastWords = 1s;     // for what a cancelled session still has to say
constexpr auto kDoorPause = 200ms;  // when the system has no descriptor to give

void signal_fd(int fd) {
  const std::uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);  // an eventfd that is full is readable, which is all that is wanted
}

void empty_fd(int fd) {
  std::array<std::uint8_t, 512> sink;
  (void)!read(fd, sink.data(), sink.size());
}

// At its end a line is readable and has nothing to read. A descriptor that cannot be asked is left to the session.
bool at_end(int fd) {
  int waiting = 0;
  return ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0;
}

// GuestWire is a line as a session sees it. Cancelling ends its waits, and leaves it a moment for its last words.
class GuestWire final : public Transport {
 public:
  GuestWire(posix::FdTransport& wire, int cancel_fd, Clock& clock, const std::atomic<bool>& cancelled)
      : wire_(wire), cancel_fd_(cancel_fd), clock_(clock), cancelled_(cancelled) {}

  Result<std::size_t> read_some(MutBytes into, Deadline until) override {
    wire_.cancel_on(cancel_fd_);
    return wire_.read_some(into, until);
  }
  Status write_all(Bytes from, Deadline until) override {
    const bool last_words = cancelled_.load();
    wire_.cancel_on(last_words ? -1 : cancel_fd_);
    return wire_.write_all(from, last_words ? std::min(until, clock_.now() + kLastWords) : until);
  }

 private:
  posix::FdTransport& wire_;
  const int cancel_fd_;
  Clock& clock_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace

Server::Server(std::unique_ptr<Listener> listener, Backend& backend, const ServerConfig& config, Clock& clock)
    : listener_(std::move(listener)),
      backend_(backend),
      config_(config),
      clock_(clock),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_(
          config.max_sessions, [this](Line& line) { return work(line); }, [this] { signal_fd(wake_.get()); }) {}

Server::~Server() {
  cancel();  // in case run() ended with an error while attempts were running
}

Status Server::run(int stop_fd) {
  if (!wake_ || !cancel_fd_) return Error{Errc::io_failed, "eventfd", static_cast<std::uint64_t>(errno)};
  std::vector<pollfd> fds;
  while (!grace_until_ || running_ > 0) {
    const bool door_open = listener_ && leaving_.size() < kMaxLeaving && clock_.now() >= door_shut_until_;
    fds.assign({{stop_fd, POLLIN, 0}, {wake_.get(), POLLIN, 0}, {door_open ? listener_->fd() : -1, POLLIN, 0}});
    for (const Line& line : idle_) fds.push_back({line.wire->fd(), POLLIN | POLLRDHUP, 0});
    for (const Leaving& leaving : leaving_) fds.push_back({leaving.line.wire->fd(), POLLIN | POLLRDHUP, 0});
    if (poll(fds.data(), fds.size(), poll_timeout()) < 0 && errno != EINTR) {
      return Error{Errc::io_failed, "poll", static_cast<std::uint64_t>(errno)};
    }

    std::vector<Line> lines = std::exchange(idle_, {});
    for (std::size_t i = 0; i < lines.size(); ++i) look_at(std::move(lines[i]), fds[3 + i].revents != 0);
    // What look_at just added to leaving_ was not polled; it gets its turn in the next round.
    std::size_t polled = 3 + lines.size();
    for (auto at = leaving_.begin(); at != leaving_.end() && polled < fds.size(); ++polled) {
      const bool over = clock_.now() >= at->until || (fds[polled].revents != 0 && !discard(*at));
      at = over ? leaving_.erase(at) : std::next(at);
    }
    if (fds[1].revents != 0) take_back_finished();
    if (fds[2].revents != 0) accept_all();
    if (fds[0].revents != 0) stop_requested(stop_fd);
    if (grace_until_ && clock_.now() >= *grace_until_) cancel();
  }
  leaving_.clear();
  log::event(Level::info, "stopped", {{"sessions", sessions_.load()}});
  return ok();
}

int Server::poll_timeout() const {
  Deadline next = kNever;
  for (const Leaving& leaving : leaving_) next = std::min(next, leaving.until);
  if (door_shut_until_ > clock_.now()) next = std::min(next, door_shut_until_);
  if (grace_until_ && !cancelled_) next = std::min(next, *grace_until_);
  if (next == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Server::accept_all() {
  while (leaving_.size() < kMaxLeaving) {
    Result<std::optional<NewLine>> accepted = listener_->accept();
    if (!accepted) {
      log::event(Level::error, "accept_failed", {{"detail", brief(accepted.error())}});
      door_shut_until_ = clock_.now() + kDoorPause;
      return;
    }
    if (!*accepted) return;
    NewLine& taken = **accepted;
    Line line{.wire = std::make_unique<posix::FdTransport>(std::move(taken.fd), clock_), .peer = std::move(taken.peer)};
    log::event(Level::debug, "line_opened", {{"peer", line.peer}});
    if (open_lines() >= config_.max_lines) {
      turn_away(std::move(line), Errc::proxy_busy, "every line is taken");
    } else {
      idle_.push_back(std::move(line));
    }
  }
}

void Server::look_at(Line line, bool is_readable) {
  if (!is_readable) {
    idle_.push_back(std::move(line));
  } else if (at_end(line.wire->fd())) {
    log::event(Level::debug, "line_closed", {{"peer", line.peer}, {"attempts", line.attempts}});
  } else if (line.attempts >= config_.max_attempts_per_line) {
    turn_away(std::move(line), Errc::proxy_busy, "this line has had its attempts: connect anew");
  } else {
    ++line.attempts;
    if (pool_.try_start(line)) {
      ++running_;
    } else {
      turn_away(std::move(line), Errc::proxy_busy, "every session is taken");
    }
  }
}

void Server::turn_away(Line line, Errc code, const char* why) {
  const std::vector<std::uint8_t> frame = refusal_frame(code, protocol::Phase::negotiation, why);
  const bool told = line.wire->write_all(frame, clock_.now() + kPatience).has_value();
  log::event(Level::warning, "turned_away",
             {{"peer", line.peer}, {"code", error_name(code)}, {"detail", why}, {"told", told}});
  leave(std::move(line));
}

void Server::leave(Line line) {
  leaving_.push_back({std::move(line), clock_.now() + kLeavingTime, kLeavingOctets});
}

bool Server::discard(Leaving& leaving) {
  std::array<std::uint8_t, 4096> sink;
  const Result<std::size_t> got = leaving.line.wire->read_some(sink, clock_.now() + kPatience);
  if (!got) return got.error().code == Errc::deadline;
  leaving.octets_left -= std::min(leaving.octets_left, *got);
  return leaving.octets_left > 0;
}

LineState Server::work(Line& line) {
  try {
    SessionLog log(++sessions_, line.peer);
    const std::unique_ptr<BrokerSession> broker = backend_.open(cancelled_);
    GuestWire guest(*line.wire, cancel_fd_.get(), clock_, cancelled_);
    const LineState state = serve_attempt(guest, *broker, config_.session, clock_, cancelled_, log);
    line.wire->cancel_on(-1);
    return state;
  } catch (const std::exception& error) {  // a session that runs out of memory ends alone
    log::event(Level::error, "session_failed", {{"peer", line.peer}, {"detail", error.what()}});
    return LineState::lost;
  }
}

void Server::take_back_finished() {
  empty_fd(wake_.get());
  for (AttemptPool::Finished& one : pool_.take_finished()) {
    --running_;
    if (grace_until_) continue;  // stopping: the line is closed here
    if (one.state == LineState::in_step) {
      idle_.push_back(std::move(one.line));
    } else {
      leave(std::move(one.line));
    }
  }
}

void Server::stop_requested(int stop_fd) {
  empty_fd(stop_fd);
  if (grace_until_) {
    cancel();
    return;
  }
  log::event(Level::info, "stopping", {{"running", running_}, {"idle", idle_.size()}});
  listener_.reset();
  for (Line& line : std::exchange(idle_, {})) {
    if (!at_end(line.wire->fd())) turn_away(std::move(line), Errc::proxy_stopping, "the proxy is shutting down");
  }
  grace_until_ = clock_.now() + config_.grace;
}

void Server::cancel() {
  if (cancelled_.exchange(true)) return;
  signal_fd(cancel_fd_.get());
}

}  // namespace attestbed::proxy
