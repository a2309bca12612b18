// SPDX-License-Identifier: Apache-2.0
#include "guest/key_progress.h"

namespace attestbed::guest {

void KeyProgressLines::searched(std::size_t candidates, int primes) {
  constexpr auto kBetween = std::chrono::seconds(1);
  if (candidates == 1) {
    say_(std::string(kKeyProgress) + "about 1000 numbers are tried until two are prime");
    next_ = clock_.now() + kBetween;
    return;
  }
  const Instant now = clock_.now();
  if (now < next_) return;
  say_(std::string(kKeyProgress) + std::to_string(candidates) + " numbers tried, " + std::to_string(primes) +
       " of 2 primes found");
  next_ = now + kBetween;
}

}  // namespace attestbed::guest
