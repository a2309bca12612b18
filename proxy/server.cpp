// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/log/event_log.h"
#include "proxy/refusal_frame.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using log::Level;

constexpr auto kOneWrite = 1ms;  // a deadline of `now` would not even try

void signal_fd(int fd) {
  const std::uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);  // an eventfd that is full is readable, which is all that is wanted
}

void empty_fd(int fd) {
  std::array<std::uint8_t, 512> sink;
  (void)!read(fd, sink.data(), sink.size());
}

std::vector<std::unique_ptr<Listener>> only(std::unique_ptr<Listener> door) {
  std::vector<std::unique_ptr<Listener>> doors;
  doors.push_back(std::move(door));
  return doors;
}

}  // namespace

// Polled is what one round of the loop watches, in this order.
struct Server::Polled {
  std::vector<pollfd> fds;
  std::size_t doors = 0, idle = 0, draining = 0, waiting = 0;

  static constexpr std::size_t kStop = 0, kWake = 1, kDoors = 2;
  short events(std::size_t at) const { return fds[at].revents; }
  std::span<const pollfd> of_doors() const { return std::span(fds).subspan(kDoors, doors); }
  std::span<const pollfd> of_idle() const { return std::span(fds).subspan(kDoors + doors, idle); }
  std::span<const pollfd> of_draining() const { return std::span(fds).subspan(kDoors + doors + idle, draining); }
  std::span<const pollfd> of_waiting() const {
    return std::span(fds).subspan(kDoors + doors + idle + draining, waiting);
  }
};

Server::Server(std::vector<std::unique_ptr<Listener>> doors, Backend& backend, const ServerConfig& config, Clock& clock)
    : config_(config),
      clock_(clock),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      doors_(std::move(doors), clock),
      peers_(config.attempts, clock),
      idle_(clock),
      waiting_(config.max_sessions_per_peer, config.queue_wait),
      draining_(clock),
      worker_(backend, config.session, clock),
      pool_(
          config.max_sessions, [this](Line& line) { return worker_.work(line); }, [this] { signal_fd(wake_.get()); }) {}

Server::Server(std::unique_ptr<Listener> door, Backend& backend, const ServerConfig& config, Clock& clock)
    : Server(only(std::move(door)), backend, config, clock) {}

Server::~Server() {
  worker_.cancel();  // in case run() ended with an error while attempts were running
}

Status Server::run(int stop_fd, Supervisor* supervisor) {
  if (!wake_ || !worker_.is_ready()) return Error{Errc::io_failed, "eventfd", static_cast<std::uint64_t>(errno)};
  supervisor_ = supervisor;
  tell_supervisor();
  Polled polled;
  while (!grace_until_ || running_ > 0 || draining_.leaving() > 0) TRY(poll_once(polled, stop_fd));
  log::event(Level::info, "stopped", {{"sessions", worker_.sessions()}});
  return ok();
}

Status Server::poll_once(Polled& polled, int stop_fd) {
  polled.fds.assign({{stop_fd, POLLIN, 0}, {wake_.get(), POLLIN, 0}});
  fill(polled);
  if (poll(polled.fds.data(), polled.fds.size(), poll_timeout()) < 0) {
    if (errno != EINTR) return Error{Errc::io_failed, "poll", static_cast<std::uint64_t>(errno)};
    return ok();
  }
  // The lines that were polled first, in the order in which they were: what follows adds to these lists.
  for (Line& line : waiting_.take_ended(polled.of_waiting())) close(std::move(line));
  std::vector<DrainingLines::Drained> drained = draining_.take_drained(polled.of_draining());
  take_left(idle_.take_left(polled.of_idle()));
  take_back_drained(std::move(drained));
  if (polled.events(Polled::kWake) != 0) take_back_finished();
  doors_.accept(polled.of_doors(), [this](NewLine taken, Listener& door) { enter(std::move(taken), door); });
  if (polled.events(Polled::kStop) != 0) stop_requested(stop_fd);
  start_waiting();
  if (grace_until_ && clock_.now() >= *grace_until_) worker_.cancel();
  if (clock_.now() >= next_beat_) tell_supervisor();
  return ok();
}

void Server::fill(Polled& polled) const {
  doors_.watch(polled.fds);
  idle_.watch(polled.fds);
  draining_.watch(polled.fds);
  waiting_.watch(polled.fds);
  polled.doors = doors_.size();
  polled.idle = idle_.size();
  polled.draining = draining_.size();
  polled.waiting = waiting_.size();
}

int Server::poll_timeout() const {
  Deadline next = std::min({doors_.next(), idle_.next(), waiting_.next_late(), draining_.next(), next_beat_});
  if (grace_until_ && !worker_.is_cancelled()) next = std::min(next, *grace_until_);
  if (next == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Server::enter(NewLine taken, Listener& door) {
  Line line{.wire = std::make_unique<posix::FdTransport>(std::move(taken.fd), clock_),
            .name = std::move(taken.name),
            .peer = peers_.of(taken.peer),
            .kind = taken.kind,
            .lives = taken.lives,
            .after_answer = taken.after_answer,
            .door = &door,
            .idle_since = clock_.now()};
  // A machine that opens lines without end shuts out itself alone. It is not told: a line that is given up with words
  // may take the place of another's that is still reading its own.
  if (!taken.peer.empty() && line.peer->lines >= config_.max_lines_per_peer) {
    log_turned_away(line, Errc::proxy_busy, "this peer has as many lines as it may", false);
    return;
  }
  ++line.peer->lines;
  log::event(Level::debug, "line_opened", {{"peer", line.name}});
  if (line.lives == Lives::for_ever) {
    ++devices_;
  } else if (open_lines() - devices_ >= config_.max_lines && !reclaim()) {
    turn_away(std::move(line), Errc::proxy_busy, "every line is taken");
    return;
  }
  idle_.add(std::move(line));
}

bool Server::reclaim() {
  std::optional<Line> line = idle_.take_least_missed();
  if (!line) return false;
  if (const std::optional<std::uint64_t> left_out = reclaimed_.next(clock_.now())) {
    log::event(Level::warning, "line_reclaimed", {{"peer", line->name}, {"left_out", *left_out}});
  }
  close(*std::move(line));
  return true;
}

void Server::take_left(std::vector<IdleLines::Left> left) {
  using Became = IdleLines::Became;
  for (auto& [line, became] : left) {
    // No frame was begun, so nobody waits for an answer; a guest behind the noise would take one for its own.
    const bool is_noise = became == Became::noisy || became == Became::dropped;
    if (is_noise) log_turned_away(line, Errc::line_noise, "octets that are no frame", false);
    switch (became) {
      case Became::asked:
        begin(std::move(line));
        break;
      case Became::ended:
        close(std::move(line));
        break;
      case Became::noisy:
        drain(std::move(line));
        break;
      case Became::dropped:
        idle_.add(std::move(line));
        break;
      case Became::unfinished:
        turn_away(std::move(line), Errc::guest_timeout, "the guest's message was not complete in time");
        break;
    }
  }
}

void Server::begin(Line line) {
  if (!line.peer->take_attempt(clock_.now())) {
    turn_away(std::move(line), Errc::attempts_exhausted, "this peer has had its attempts for now");
    return;
  }
  ++line.attempts;
  waiting_.add(std::move(line), clock_.now());
}

void Server::start_waiting() {
  // The pool has a free thread whenever fewer than max_sessions run, unless the system has none to give: then the line
  // waits on.
  while (Line* line = running_ < config_.max_sessions ? waiting_.next() : nullptr) {
    const std::shared_ptr<Peer> peer = line->peer;
    if (!pool_.try_start(*line)) break;
    waiting_.started(line);
    ++peer->running;
    ++running_;
  }
  while (std::optional<Line> line = waiting_.take_late(clock_.now())) {
    turn_away(*std::move(line), Errc::proxy_busy, "every session is taken");
  }
}

void Server::turn_away(Line line, Errc code, const char* why) {
  const std::vector<std::uint8_t> frame = refusal_frame(code, protocol::Phase::negotiation, why);
  const bool told = line.wire->write_all(frame, clock_.now() + kOneWrite).has_value();
  log_turned_away(line, code, why, told);
  drain(std::move(line));
}

void Server::log_turned_away(const Line& line, Errc code, const char* why, bool told) {
  const std::optional<std::uint64_t> left_out = turned_away_.next(clock_.now());
  if (!left_out) return;
  nlohmann::ordered_json fields = {{"peer", line.name}, {"code", error_name(code)}, {"detail", why}, {"told", told}};
  if (*left_out != 0) fields["left_out"] = *left_out;
  log::event(Level::warning, "turned_away", fields);
}

void Server::drain(Line line) {
  // Its peer reads the end behind our last word, and need not wait for us to hear its own.
  if (line.kind == LineKind::connected) (void)shutdown(line.wire->fd(), SHUT_WR);
  if (std::optional<Line> oldest = draining_.add(std::move(line))) close(*std::move(oldest));
}

void Server::take_back_drained(std::vector<DrainingLines::Drained> drained) {
  for (DrainingLines::Drained& one : drained) {
    if (one.as_new && !grace_until_) {
      idle_.add(std::move(one.line));
    } else {
      close(std::move(one.line));
    }
  }
}

void Server::close(Line line) {
  log::event(Level::debug, "line_closed", {{"peer", line.name}, {"attempts", line.attempts}});
  if (line.lives == Lives::for_ever) --devices_;
  line.wire.reset();
  --line.peer->lines;
  if (!doors_.are_shut()) line.door->line_ended();
}

void Server::take_back_finished() {
  empty_fd(wake_.get());
  for (AttemptPool::Finished& one : pool_.take_finished()) {
    --running_;
    --one.line.peer->running;
    if (!grace_until_ && one.state == LineState::in_step && one.line.after_answer == AfterAnswer::keep) {
      one.line.idle_since = clock_.now();
      idle_.add(std::move(one.line));
    } else {
      drain(std::move(one.line));  // when stopping too, so that the answer is read
    }
  }
}

void Server::stop_requested(int stop_fd) {
  empty_fd(stop_fd);
  if (grace_until_) {
    worker_.cancel();
    return;
  }
  if (supervisor_ != nullptr) supervisor_->stopping();
  log::event(Level::info, "stopping", {{"running", running_}, {"waiting", waiting_.size()}, {"idle", idle_.size()}});
  doors_.shut();
  grace_until_ = clock_.now() + config_.grace;
  std::vector<Line> lines = waiting_.take_all();
  // An idle line on which nothing was asked is closed without a word: nobody there waits for one.
  std::ranges::move(idle_.take_unread(), std::back_inserter(lines));
  for (Line& line : lines) turn_away(std::move(line), Errc::proxy_stopping, "the proxy is shutting down");
}

void Server::tell_supervisor() {
  if (supervisor_ == nullptr) return;
  supervisor_->alive(running_, waiting_.size(), open_lines());
  const auto beat = supervisor_->beat();
  if (beat > beat.zero()) next_beat_ = clock_.now() + beat;
}

}  // namespace attestbed::proxy
