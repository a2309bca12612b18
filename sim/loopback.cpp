// SPDX-License-Identifier: Apache-2.0
#include "sim/loopback.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

// Deadlines may lie at the end of time; a condition variable's may not.
constexpr std::chrono::nanoseconds kLongestNap = std::chrono::minutes(1);

}  // namespace

template <class Ready>
bool LoopbackPair::wait(std::unique_lock<std::mutex>& lock, Deadline until, Ready ready) {
  while (!ready()) {
    if (manual_ != nullptr) {
      manual_->wait_until(until);
      return false;
    }
    const Instant now = clock_.now();
    if (now >= until) return false;
    const auto left = until - now;
    changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(left, kLongestNap));
  }
  return true;
}

Result<std::size_t> LoopbackPair::End::read_some(MutBytes into, Deadline until) {
  if (into.empty()) return Error{Errc::transport, "LoopbackPair read", 0, 1};
  std::unique_lock lock(line_.mutex_);
  const bool ready = line_.wait(lock, until, [this] { return !in_.octets.empty() || in_.closed; });
  if (!ready) return Error{Errc::deadline, "LoopbackPair read"};
  if (in_.octets.empty()) return Error{Errc::closed, "LoopbackPair read"};
  const std::size_t size = std::min({into.size(), in_.octets.size(), line_.options_.max_read});
  std::copy_n(in_.octets.begin(), size, into.begin());
  in_.octets.erase(in_.octets.begin(), in_.octets.begin() + static_cast<std::ptrdiff_t>(size));
  line_.changed_.notify_all();
  return size;
}

Status LoopbackPair::End::write_all(Bytes from, Deadline until) {
  std::unique_lock lock(line_.mutex_);
  do {
    if (out_.closed) return Error{Errc::transport, "LoopbackPair write"};
    const auto writable = [this] { return out_.octets.size() < line_.options_.capacity || out_.closed; };
    if (!line_.wait(lock, until, writable)) return Error{Errc::deadline, "LoopbackPair write"};
    if (out_.closed) return Error{Errc::transport, "LoopbackPair write"};
    const std::size_t size = std::min(from.size(), line_.options_.capacity - out_.octets.size());
    out_.octets.insert(out_.octets.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
    from = from.subspan(size);
    line_.changed_.notify_all();
  } while (!from.empty());
  return ok();
}

void LoopbackPair::End::close() {
  const std::lock_guard lock(line_.mutex_);
  in_.closed = true;
  out_.closed = true;
  line_.changed_.notify_all();
}

}  // namespace attestbed::sim
