// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>

#include "core/posix/fd_transport.h"

namespace attestbed::proxy {

/// kLastWords is for what a cancelled session still has to say.
inline constexpr std::chrono::seconds kLastWords{1};

/// GuestWire is a line as a session sees it. Cancelling ends its waits, and leaves it a moment for its last words.
class GuestWire final : public Transport {
 public:
  GuestWire(posix::FdTransport& wire, int cancel_fd, Clock& clock, const std::atomic<bool>& cancelled)
      : wire_(wire), cancel_fd_(cancel_fd), clock_(clock), cancelled_(cancelled) {}

  Result<std::size_t> read_some(MutBytes into, Deadline until) override {
    wire_.cancel_on(cancel_fd_);
    return wire_.read_some(into, until);
  }
  Status write_all(Bytes from, Deadline until) override {
    const bool last_words = cancelled_.load();
    wire_.cancel_on(last_words ? -1 : cancel_fd_);
    return wire_.write_all(from, last_words ? std::min(until, clock_.now() + kLastWords) : until);
  }

 private:
  posix::FdTransport& wire_;
  const int cancel_fd_;
  Clock& clock_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace attestbed::proxy
