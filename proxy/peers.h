// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/platform/clock.h"

namespace attestbed::proxy {

/// AttemptBudget is how often a peer may begin an attempt: `at_once` in a row, and one more after every `interval`.
struct AttemptBudget {
  unsigned at_once = 16;
  std::chrono::nanoseconds interval = std::chrono::seconds(10);
};

/// Peer is who an attempt is counted for: one line, or one machine behind several. Its budget is a token bucket.
///   running  attempts of this peer that run now; for the one thread that starts and ends them
///   lines    of this peer that are open, those too that are being given up; for the same thread
class Peer {
 public:
  Peer(const AttemptBudget& budget, Instant now) : budget_(budget), tokens_(budget.at_once), since_(now) {}

  /// take_attempt takes one attempt from the budget, or returns false if none is left. Safe from any thread.
  bool take_attempt(Instant now);
  /// is_rested: the budget is whole again, so that forgetting this peer changes nothing for it.
  bool is_rested(Instant now);

  unsigned running = 0, lines = 0;

 private:
  void refill(Instant now);

  const AttemptBudget budget_;
  std::mutex mutex_;
  unsigned tokens_;
  Instant since_;  // when the refill that is under way began; means nothing while the bucket is full
};

/// Peers finds the Peer of a name again, for peers that come back: a serial device, a vsock CID. It remembers at most
/// kMaxPeers. When so many have used up part of their budgets, those that come new share one: they are served less
/// often, and no memory grows.
class Peers {
 public:
  static constexpr std::size_t kMaxPeers = 1024;

  Peers(const AttemptBudget& budget, Clock& clock) : budget_(budget), clock_(clock) {}

  /// of returns the peer of this name; of the empty name, a new one that nobody else will be.
  std::shared_ptr<Peer> of(const std::string& name);
  std::size_t size() const { return known_.size(); }

 private:
  void forget_rested();

  const AttemptBudget budget_;
  Clock& clock_;
  std::map<std::string, std::shared_ptr<Peer>> known_;
  std::shared_ptr<Peer> everybody_else_;
};

}  // namespace attestbed::proxy
