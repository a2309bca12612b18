// SPDX-License-Identifier: Apache-2.0
#include "http-server/worker_pool.h"

#include <system_error>

namespace attestbed::http {

bool WorkerPool::take(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (idle_ <= jobs_.size()) {
    if (threads_.size() >= most_) return false;
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      return false;  // the machine has no thread left: the same answer as above the cap
    }
  }
  jobs_.push_back(std::move(job));
  wake_.notify_one();
  return true;
}

void WorkerPool::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace attestbed::http
