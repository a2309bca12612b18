// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>

#include "core/log/event_log.h"
#include "proxy/guest_wire.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using log::Level;

constexpr auto kPatience = 1ms;     // of the poll loop with one line; a deadline of `now` would not even try
constexpr int kMostAccepts = 32;    // at one door in one round
constexpr int kMostLooks = 64;      // for a frame, at one line in one round
constexpr auto kDoorPause = 200ms;  // when the system has no descriptor to give

void signal_fd(int fd) {
  const std::uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);  // an eventfd that is full is readable, which is all that is wanted
}

void empty_fd(int fd) {
  std::array<std::uint8_t, 512> sink;
  (void)!read(fd, sink.data(), sink.size());
}

// has_octets: there is something to read. A vsock socket cannot be asked how much, but it lets itself be looked at.
bool has_octets(int fd) {
  std::uint8_t octet = 0;
  const ssize_t seen = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen >= 0 || errno != ENOTSOCK) return seen > 0;
  int waiting = 0;
  return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
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
  std::span<const pollfd> of_idle() const { return std::span(fds).subspan(kDoors + doors, idle); }
  std::span<const pollfd> of_draining() const { return std::span(fds).subspan(kDoors + doors + idle, draining); }
  std::span<const pollfd> of_waiting() const {
    return std::span(fds).subspan(kDoors + doors + idle + draining, waiting);
  }
};

Server::Server(std::vector<std::unique_ptr<Listener>> doors, Backend& backend, const ServerConfig& config, Clock& clock)
    : backend_(backend),
      config_(config),
      clock_(clock),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      doors_(std::move(doors)),
      peers_(config.attempts, clock),
      waiting_(config.max_sessions_per_peer, config.queue_wait),
      draining_(clock),
      pool_(
          config.max_sessions, [this](Line& line) { return work(line); }, [this] { signal_fd(wake_.get()); }) {}

Server::Server(std::unique_ptr<Listener> door, Backend& backend, const ServerConfig& config, Clock& clock)
    : Server(only(std::move(door)), backend, config, clock) {}

Server::~Server() {
  cancel();  // in case run() ended with an error while attempts were running
}

Status Server::run(int stop_fd, Supervisor* supervisor) {
  if (!wake_ || !cancel_fd_) return Error{Errc::io_failed, "eventfd", static_cast<std::uint64_t>(errno)};
  supervisor_ = supervisor;
  tell_supervisor();
  Polled polled;
  while (!grace_until_ || running_ > 0 || draining_.leaving() > 0) TRY(poll_once(polled, stop_fd));
  log::event(Level::info, "stopped", {{"sessions", sessions_.load()}});
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
  look_at_idle(polled.of_idle());
  take_back_drained(std::move(drained));
  if (polled.events(Polled::kWake) != 0) take_back_finished();
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    const bool is_due = are_doors_open() && clock_.now() >= doors_[i]->due();
    if (is_due || polled.events(Polled::kDoors + i) != 0) accept_all(*doors_[i]);
  }
  if (polled.events(Polled::kStop) != 0) stop_requested(stop_fd);
  start_waiting();
  if (grace_until_ && clock_.now() >= *grace_until_) cancel();
  if (clock_.now() >= next_beat_) tell_supervisor();
  return ok();
}

void Server::fill(Polled& polled) const {
  for (const auto& door : doors_) polled.fds.push_back({are_doors_open() ? door->fd() : -1, POLLIN, 0});
  for (const Line& line : idle_) polled.fds.push_back({line.wire->fd(), POLLIN | POLLRDHUP, 0});
  draining_.watch(polled.fds);
  waiting_.watch(polled.fds);
  polled.doors = doors_.size();
  polled.idle = idle_.size();
  polled.draining = draining_.size();
  polled.waiting = waiting_.size();
}

bool Server::are_doors_open() const {
  return clock_.now() >= doors_shut_until_;
}

int Server::poll_timeout() const {
  Deadline next = std::min({waiting_.next_late(), draining_.next(), next_beat_});
  for (const Line& line : idle_) next = std::min(next, line.search_until);
  if (are_doors_open()) {
    for (const auto& door : doors_) next = std::min(next, door->due());
  }
  if (doors_shut_until_ > clock_.now()) next = std::min(next, doors_shut_until_);
  if (grace_until_ && !cancelled_) next = std::min(next, *grace_until_);
  if (next == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Server::accept_all(Listener& door) {
  for (int accepted_now = 0; accepted_now < kMostAccepts && are_doors_open(); ++accepted_now) {
    Result<std::optional<NewLine>> accepted = door.accept();
    if (!accepted) {
      log::event(Level::error, "accept_failed", {{"door", door.name()}, {"detail", brief(accepted.error())}});
      doors_shut_until_ = clock_.now() + kDoorPause;
      return;
    }
    if (!*accepted) return;
    NewLine& taken = **accepted;
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
      continue;
    }
    ++line.peer->lines;
    log::event(Level::debug, "line_opened", {{"peer", line.name}});
    if (line.lives != Lives::for_ever && open_lines() >= config_.max_lines && !reclaim()) {
      turn_away(std::move(line), Errc::proxy_busy, "every line is taken");
    } else {
      idle_.push_back(std::move(line));
    }
  }
}

// A new line takes the place of one that says nothing: of the door with the most idle lines, there of the peer with the
// most lines, of those the one that has been idle for longest. So nobody keeps others out by being there.
bool Server::reclaim() {
  std::map<const Listener*, std::size_t> idle_at;
  for (const Line& line : idle_) ++idle_at[line.door];
  const auto weight = [&](const Line& line) { return std::pair(idle_at[line.door], line.peer->lines); };
  auto best = idle_.end();
  for (auto at = idle_.begin(); at != idle_.end(); ++at) {
    if (at->lives == Lives::for_ever || has_octets(at->wire->fd())) continue;
    const bool is_longer_idle =
        best != idle_.end() && weight(*at) == weight(*best) && at->idle_since < best->idle_since;
    if (best == idle_.end() || weight(*at) > weight(*best) || is_longer_idle) best = at;
  }
  if (best == idle_.end()) return false;
  Line line = std::move(*best);
  idle_.erase(best);
  if (const std::optional<std::uint64_t> left_out = reclaimed_.next(clock_.now())) {
    log::event(Level::warning, "line_reclaimed", {{"peer", line.name}, {"left_out", *left_out}});
  }
  close(std::move(line));
  return true;
}

void Server::look_at_idle(std::span<const pollfd> fds) {
  std::vector<Line> lines = std::exchange(idle_, {});
  for (std::size_t i = 0; i < lines.size(); ++i) look_at(std::move(lines[i]), fds[i].revents);
}

void Server::look_at(Line line, short events) {
  if (events == 0 && clock_.now() >= line.search_until) {
    end_search(std::move(line));
  } else if (events == 0) {
    idle_.push_back(std::move(line));
  } else if (!has_octets(line.wire->fd())) {  // of what is readable that is the end
    close(std::move(line));
  } else if (line.kind == LineKind::serial) {
    search(std::move(line));
  } else {
    begin(std::move(line));
  }
}

// On a serial line an attempt begins with a frame, not with an octet. What is none costs neither an attempt nor a
// session, only this: reading it.
void Server::search(Line line) {
  for (int looks = 0; looks < kMostLooks && has_octets(line.wire->fd()); ++looks) {
    const auto found = line.search.look(*line.wire, clock_.now() + kPatience);
    if (!found && found.error().code == Errc::deadline) break;
    if (!found && found.error().code == Errc::line_noise) {
      // No frame was begun, so nobody waits for an answer; a guest behind the noise would take one for its own.
      log_turned_away(line, Errc::line_noise, "octets that are no frame", false);
      line.search = {};
      line.search_until = kNever;
      return drain(std::move(line));
    }
    if (!found) return close(std::move(line));
    line.search_until = clock_.now() + kFrameStartPatience;
    if (!*found) continue;
    line.start = **found;
    line.search = {};
    line.search_until = kNever;
    return begin(std::move(line));
  }
  idle_.push_back(std::move(line));
}

// Nothing has come for a while behind octets that are no frame yet. A guest that has sent a whole length is told; fewer
// octets are noise as far as anybody can say, and an answer to noise would be taken for that to the next question.
void Server::end_search(Line line) {
  const bool has_length = line.search.has_length();
  line.search = {};
  line.search_until = kNever;
  if (has_length)
    return turn_away(std::move(line), Errc::guest_timeout, "the guest's message was not complete in time");
  log_turned_away(line, Errc::line_noise, "octets that are no frame", false);
  idle_.push_back(std::move(line));
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
  const bool told = line.wire->write_all(frame, clock_.now() + kPatience).has_value();
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
      idle_.push_back(std::move(one.line));
    } else {
      close(std::move(one.line));
    }
  }
}

void Server::close(Line line) {
  log::event(Level::debug, "line_closed", {{"peer", line.name}, {"attempts", line.attempts}});
  line.wire.reset();
  --line.peer->lines;
  if (!doors_.empty()) line.door->line_ended();
}

LineState Server::work(Line& line) {
  try {
    SessionLog log(++sessions_, line.name);
    const std::unique_ptr<BrokerSession> broker = backend_.open(cancelled_);
    GuestWire guest(*line.wire, cancel_fd_.get(), clock_, cancelled_);
    const LineRules rules{.kind = line.kind,
                          .start = line.start,
                          .take_attempt = [&] { return line.peer->take_attempt(clock_.now()); },
                          .open_broker = [&] { return backend_.open(cancelled_); }};
    const LineState state = serve_attempt(guest, *broker, config_.session, clock_, cancelled_, log, rules);
    line.wire->cancel_on(-1);
    return state;
  } catch (const std::exception& error) {  // a session that runs out of memory ends alone
    log::event(Level::error, "session_failed", {{"peer", line.name}, {"detail", error.what()}});
    return LineState::lost;
  }
}

void Server::take_back_finished() {
  empty_fd(wake_.get());
  for (AttemptPool::Finished& one : pool_.take_finished()) {
    --running_;
    --one.line.peer->running;
    if (!grace_until_ && one.state == LineState::in_step && one.line.after_answer == AfterAnswer::keep) {
      one.line.idle_since = clock_.now();
      idle_.push_back(std::move(one.line));
    } else {
      drain(std::move(one.line));  // when stopping too, so that the answer is read
    }
  }
}

void Server::stop_requested(int stop_fd) {
  empty_fd(stop_fd);
  if (grace_until_) {
    cancel();
    return;
  }
  if (supervisor_ != nullptr) supervisor_->stopping();
  log::event(Level::info, "stopping", {{"running", running_}, {"waiting", waiting_.size()}, {"idle", idle_.size()}});
  doors_.clear();
  grace_until_ = clock_.now() + config_.grace;
  std::vector<Line> lines = waiting_.take_all();
  for (Line& line : std::exchange(idle_, {})) {
    // One on which nothing was asked is closed without a word: nobody there waits for one.
    if (has_octets(line.wire->fd())) lines.push_back(std::move(line));
  }
  for (Line& line : lines) turn_away(std::move(line), Errc::proxy_stopping, "the proxy is shutting down");
}

void Server::cancel() {
  if (cancelled_.exchange(true)) return;
  signal_fd(cancel_fd_.get());
}

void Server::tell_supervisor() {
  if (supervisor_ == nullptr) return;
  supervisor_->alive(running_, waiting_.size(), open_lines());
  const auto beat = supervisor_->beat();
  if (beat > beat.zero()) next_beat_ = clock_.now() + beat;
}

}  // namespace attestbed::proxy
