// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/line.h"
#include "proxy/session.h"

namespace attestbed::proxy {

/// AttemptPool runs attempts on at most `max` threads, which it starts as they are needed and keeps. An attempt starts
/// at once or not at all: who waits, waits in WaitingLines, where the order is fair.
class AttemptPool {
 public:
  struct Finished {
    Line line;
    LineState state;
  };

  /// `work` serves one attempt on a worker; `wake` is called there after the result can be had by take_finished.
  /// Neither may throw.
  AttemptPool(std::size_t max, std::function<LineState(Line&)> work, std::function<void()> wake);
  /// Waits for every running attempt.
  ~AttemptPool();
  AttemptPool(const AttemptPool&) = delete;
  AttemptPool& operator=(const AttemptPool&) = delete;

  /// try_start takes the line and returns true, or leaves it and returns false if every thread is busy.
  bool try_start(Line& line);
  std::vector<Finished> take_finished();

 private:
  void serve();

  const std::size_t max_;
  const std::function<LineState(Line&)> work_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> waiting_;  // never more than there are idle threads
  std::vector<Finished> finished_;
  std::size_t busy_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace attestbed::proxy
