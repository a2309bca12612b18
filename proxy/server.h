// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "proxy/attempt_pool.h"
#include "proxy/attempt_worker.h"
#include "proxy/draining_lines.h"
#include "proxy/front_doors.h"
#include "proxy/idle_lines.h"
#include "proxy/listener.h"
#include "proxy/peers.h"
#include "proxy/sparingly.h"
#include "proxy/waiting_lines.h"

namespace attestbed::proxy {

/// ServerConfig bounds what all guests together may take, and what each may.
///   max_sessions           attempts at once, each a thread and a broker session
///   max_sessions_per_peer  of them for one peer, for peers that may have several lines
///   max_lines              open lines; an idle one costs a descriptor and has no deadline. Serial devices are
///                          not counted: the configuration names them. Above that an idle line gives way, fairly
///   max_lines_per_peer     of them for one peer, for peers that may have several; further ones are closed unheard
///   attempts               how often a peer may begin one; beyond that it is told attempts_exhausted
///   queue_wait             how long a guest waits for a session before it is told proxy_busy
///   grace                  for running attempts after the request to stop; then they are cancelled
struct ServerConfig {
  SessionConfig session;
  std::size_t max_sessions = 128;
  unsigned max_sessions_per_peer = 8;
  std::size_t max_lines = 512;
  unsigned max_lines_per_peer = 32;
  AttemptBudget attempts;
  std::chrono::nanoseconds queue_wait = std::chrono::seconds(5);
  std::chrono::nanoseconds grace = std::chrono::seconds(5);
};

/// Supervisor is whoever started the program and wants to know how it does. Called by run()'s thread alone.
class Supervisor {
 public:
  virtual ~Supervisor() = default;
  /// beat is how often `alive` is to be called; zero if it need not be.
  virtual std::chrono::nanoseconds beat() const = 0;
  virtual void alive(std::size_t running, std::size_t waiting, std::size_t lines) = 0;
  virtual void stopping() = 0;
};

/// Server owns the front doors and every line. One thread, run()'s, watches the doors and the idle lines; a line whose
/// first octet has come gets a worker as soon as one is free, and comes back when the attempt is over. Nothing that a
/// guest or a broker does reaches another session.
class Server {
 public:
  Server(std::vector<std::unique_ptr<Listener>> doors, Backend& backend, const ServerConfig& config, Clock& clock);
  Server(std::unique_ptr<Listener> door, Backend& backend, const ServerConfig& config, Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// run serves until `stop_fd` (a signalfd, eventfd or pipe) is readable: then the doors are shut, idle lines too, and
  /// running attempts have `grace`; readable again, or grace over, cancels them. Returns when the last has ended.
  ///   errors  io_failed with errno in `found` if the system gives no poll or eventfd
  Status run(int stop_fd, Supervisor* supervisor = nullptr);

 private:
  struct Polled;

  void fill(Polled& polled) const;
  Status poll_once(Polled& polled, int stop_fd);
  int poll_timeout() const;
  void enter(NewLine taken, Listener& door);
  bool reclaim();
  void take_left(std::vector<IdleLines::Left> left);
  void begin(Line line);
  void take_back_drained(std::vector<DrainingLines::Drained> drained);
  void start_waiting();
  void turn_away(Line line, Errc code, const char* why);
  void log_turned_away(const Line& line, Errc code, const char* why, bool told);
  void drain(Line line);
  void close(Line line);
  void take_back_finished();
  void stop_requested(int stop_fd);
  void tell_supervisor();
  std::size_t open_lines() const { return idle_.size() + draining_.size() + waiting_.size() + running_; }

  const ServerConfig config_;
  Clock& clock_;
  posix::Fd wake_;

  // run()'s thread alone.
  FrontDoors doors_;
  Supervisor* supervisor_ = nullptr;
  Peers peers_;
  IdleLines idle_;
  WaitingLines waiting_;
  DrainingLines draining_;
  Sparingly turned_away_, reclaimed_;
  std::size_t running_ = 0;
  std::size_t devices_ = 0;  // serial ones among the open lines, which max_lines does not count
  Deadline next_beat_ = kNever;
  std::optional<Deadline> grace_until_;

  AttemptWorker worker_;
  AttemptPool pool_;  // last: its threads use everything above
};

}  // namespace attestbed::proxy
