// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "core/platform/transport.h"
#include "sim/manual_clock.h"

namespace attestbed::sim {

/// LoopbackPair is a line with two ends in one process: what one end writes the other reads, in order. Both ends may be
/// used from different threads, each end from one at a time.
class LoopbackPair {
 public:
  /// Options shape the line.
  ///   capacity  octets in flight in one direction before a writer waits
  ///   max_read  octets that one read_some returns at most; 1 makes every read short
  struct Options {
    std::size_t capacity = 1 << 20;
    std::size_t max_read = 1 << 20;
  };

  /// With a clock that runs, ends wait for each other until the deadline.
  explicit LoopbackPair(Clock& clock) : LoopbackPair(clock, Options{}) {}
  LoopbackPair(Clock& clock, Options options) : LoopbackPair(clock, nullptr, options) {}

  /// With a ManualClock nobody else is there to act: waiting on a line where nothing is to be had moves the clock to
  /// the deadline at once. For single-threaded tests.
  explicit LoopbackPair(ManualClock& clock) : LoopbackPair(clock, Options{}) {}
  LoopbackPair(ManualClock& clock, Options options) : LoopbackPair(clock, &clock, options) {}

  LoopbackPair(const LoopbackPair&) = delete;
  LoopbackPair& operator=(const LoopbackPair&) = delete;

  /// End is one end. Errors are those of Transport: `deadline`, `closed` when reading past the last octet of a closed
  /// peer, `transport` when writing to a closed line.
  class End final : public Transport {
   public:
    Result<std::size_t> read_some(MutBytes into, Deadline until) override;
    Status write_all(Bytes from, Deadline until) override;
    /// close ends both directions: the peer reads what is in flight, then `closed`.
    void close();

   private:
    friend class LoopbackPair;
    struct Direction {
      std::deque<std::uint8_t> octets;
      bool closed = false;
    };
    End(LoopbackPair& line, Direction& in, Direction& out) : line_(line), in_(in), out_(out) {}
    LoopbackPair& line_;
    Direction& in_;
    Direction& out_;
  };

  End& a() { return a_; }
  End& b() { return b_; }

 private:
  LoopbackPair(Clock& clock, ManualClock* manual, Options options)
      : clock_(clock), manual_(manual), options_(options) {}
  template <class Ready>
  bool wait(std::unique_lock<std::mutex>& lock, Deadline until, Ready ready);

  Clock& clock_;
  ManualClock* manual_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  End::Direction to_a_, to_b_;
  End a_{*this, to_a_, to_b_};
  End b_{*this, to_b_, to_a_};
};

}  // namespace attestbed::sim
