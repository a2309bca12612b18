// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace attestbed::http {

/// WorkerPool gives every connection a thread of its own, up to a cap; threads are made when they are needed and serve
/// one connection after another. A connection above the cap is not queued behind slow ones: it is for the caller to
/// turn away.
class WorkerPool {
 public:
  explicit WorkerPool(unsigned most) : most_(most) {}
  ~WorkerPool() { shutdown(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// take runs `job` on a thread of the pool, soon; false if all are busy and no more may be, or can be, made.
  bool take(std::function<void()> job);
  /// shutdown waits for every job under way: each has a deadline of its own.
  void shutdown();

 private:
  void work();

  const unsigned most_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  unsigned idle_ = 0;
  bool stopping_ = false;
};

}  // namespace attestbed::http
