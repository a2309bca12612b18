// SPDX-License-Identifier: Apache-2.0
#include "proxy/attempt_pool.h"

#include <system_error>
#include <utility>

namespace attestbed::proxy {

AttemptPool::AttemptPool(std::size_t max, std::function<LineState(Line&)> work, std::function<void()> wake)
    : max_(max), work_(std::move(work)), wake_(std::move(wake)) {}

AttemptPool::~AttemptPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool AttemptPool::try_start(Line& line) {
  const std::lock_guard lock(mutex_);
  if (busy_ + waiting_.size() == threads_.size()) {
    if (threads_.size() == max_) return false;
    try {
      threads_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {  // the system has no thread to give: busy, as far as the guest is concerned
      return false;
    }
  }
  waiting_.push_back(std::move(line));
  changed_.notify_one();
  return true;
}

std::vector<AttemptPool::Finished> AttemptPool::take_finished() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void AttemptPool::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Line line = std::move(waiting_.front());
    waiting_.pop_front();
    ++busy_;
    lock.unlock();
    const LineState state = work_(line);
    lock.lock();
    // In one step with the hand-over: whoever sees the line again also sees that this thread is free.
    --busy_;
    finished_.push_back({std::move(line), state});
    lock.unlock();
    wake_();
    lock.lock();
  }
}

}  // namespace attestbed::proxy
