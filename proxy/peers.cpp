// SPDX-License-Identifier: Apache-2.0
#include "proxy/peers.h"

#include <algorithm>

namespace attestbed::proxy {

void Peer::refill(Instant now) {
  if (tokens_ >= budget_.at_once) return;
  const auto whole = (now - since_) / budget_.interval;
  if (whole <= 0) return;
  const auto missing = static_cast<std::int64_t>(budget_.at_once - tokens_);
  tokens_ += static_cast<unsigned>(std::min<std::int64_t>(whole, missing));
  since_ += whole * budget_.interval;  // the part of an interval that has passed is kept
}

bool Peer::take_attempt(Instant now) {
  const std::lock_guard lock(mutex_);
  refill(now);
  if (tokens_ == 0) return false;
  if (tokens_ == budget_.at_once) since_ = now;
  --tokens_;
  return true;
}

bool Peer::is_rested(Instant now) {
  const std::lock_guard lock(mutex_);
  refill(now);
  return tokens_ >= budget_.at_once;
}

std::shared_ptr<Peer> Peers::of(const std::string& name) {
  const Instant now = clock_.now();
  if (name.empty()) return std::make_shared<Peer>(budget_, now);
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  if (known_.size() >= kMaxPeers) forget_rested();
  if (known_.size() < kMaxPeers) return known_.emplace(name, std::make_shared<Peer>(budget_, now)).first->second;
  if (!everybody_else_) everybody_else_ = std::make_shared<Peer>(budget_, now);
  return everybody_else_;
}

void Peers::forget_rested() {
  const Instant now = clock_.now();
  // One that a line still holds stays: with a second Peer of the same name its running attempts would count apart.
  std::erase_if(known_, [now](const auto& one) { return one.second.use_count() == 1 && one.second->is_rested(now); });
}

}  // namespace attestbed::proxy
