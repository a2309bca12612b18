// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "proxy/line.h"
#include "proxy/session.h"

namespace attestbed::proxy {

/// AttemptWorker carries attempts, each on a thread of its own: it gives one its session at the broker, its log and the
/// rules of its line. Safe from any thread.
class AttemptWorker {
 public:
  AttemptWorker(Backend& backend, const SessionConfig& config, Clock& clock);

  /// is_ready says whether attempts can be cancelled; if not, errno has the reason.
  bool is_ready() const { return bool(cancel_fd_); }
  /// work serves one attempt on the line. Never throws: a session that runs out of memory ends alone.
  LineState work(Line& line);
  /// cancel ends every attempt, those to come too, soon and with proxy_stopping.
  void cancel();
  bool is_cancelled() const { return cancelled_.load(); }
  /// sessions is how many attempts there were, those that run included.
  std::uint64_t sessions() const { return sessions_.load(); }

 private:
  Backend& backend_;
  const SessionConfig config_;
  Clock& clock_;
  posix::Fd cancel_fd_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<std::uint64_t> sessions_ = 0;
};

}  // namespace attestbed::proxy
