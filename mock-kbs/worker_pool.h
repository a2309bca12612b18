// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace attestbed::kbs {

/// WorkerPool gives every connection a thread of its own, up to a cap; threads are made when they are needed and serve
/// one connection after another. A connection above the cap is not queued behind slow ones: its job runs at once on the
/// accepting thread, where the server turns it away.
class WorkerPool final : public httplib::TaskQueue {
 public:
  explicit WorkerPool(unsigned most) : most_(most) {}

  void enqueue(std::function<void()> job) override;
  /// shutdown waits for every job under way: each has a deadline of its own.
  void shutdown() override;

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

}  // namespace attestbed::kbs
