// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/attempt_pool.h"
#include "proxy/listener.h"

namespace attestbed::proxy {

/// ServerConfig bounds what all guests together may take.
///   max_sessions           attempts at once, each a thread and a broker session; further guests are told proxy_busy
///   max_lines              open lines; an idle one costs a descriptor and has no deadline
///   max_attempts_per_line  then the line is closed, so that a guest in a loop has to connect anew
///   grace                  for running attempts after the request to stop; then they are cancelled
struct ServerConfig {
  SessionConfig session;
  std::size_t max_sessions = 128;
  std::size_t max_lines = 512;
  unsigned max_attempts_per_line = 16;
  std::chrono::nanoseconds grace = std::chrono::seconds(5);
};

/// Server owns the front door and every line. One thread, run()'s, watches the door and the idle lines; an attempt gets
/// a worker at its first octet, and the line comes back when it is over. Nothing that a guest or a broker does reaches
/// another session.
class Server {
 public:
  Server(std::unique_ptr<Listener> listener, Backend& backend, const ServerConfig& config, Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// run serves until `stop_fd` (a signalfd, eventfd or pipe) is readable: then the door is closed, idle lines too, and
  /// running attempts have `grace`; readable again, or grace over, cancels them. Returns when the last has ended.
  ///   errors  io_failed with errno in `found` if the system gives no poll or eventfd
  Status run(int stop_fd);

 private:
  // A line that is being given up: what still comes is read and thrown away, for a short time and up to a limit, so
  // that the peer can finish writing and then reads the refusal instead of a reset.
  struct Leaving {
    Line line;
    Deadline until;
    std::size_t octets_left;
  };

  int poll_timeout() const;
  void accept_all();
  void look_at(Line line, bool is_readable);
  void turn_away(Line line, Errc code, const char* why);
  void leave(Line line);
  bool discard(Leaving& leaving);
  LineState work(Line& line);
  void take_back_finished();
  void stop_requested(int stop_fd);
  void cancel();
  std::size_t open_lines() const { return idle_.size() + leaving_.size() + running_; }

  std::unique_ptr<Listener> listener_;
  Backend& backend_;
  const ServerConfig config_;
  Clock& clock_;
  posix::Fd wake_, cancel_fd_;
  std::atomic<bool> cancelled_ = false;

  // run()'s thread alone.
  std::vector<Line> idle_;
  std::list<Leaving> leaving_;
  std::size_t running_ = 0;
  Deadline door_shut_until_{};
  std::optional<Deadline> grace_until_;

  std::atomic<std::uint64_t> sessions_ = 0;
  AttemptPool pool_;  // last: its threads use everything above
};

}  // namespace attestbed::proxy
