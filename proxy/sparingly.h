// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/platform/clock.h"

namespace attestbed::proxy {

/// Sparingly is for events that a peer can cause without end: it lets kInAPeriod of them pass in each second.
class Sparingly {
 public:
  static constexpr unsigned kInAPeriod = 32;

  /// next is how many were left out since the last that passed; nothing if this one is left out too.
  std::optional<std::uint64_t> next(Instant now) {
    if (!until_ || now >= *until_) {
      until_ = now + std::chrono::seconds(1);
      passed_ = 0;
    }
    if (passed_ == kInAPeriod) {
      ++left_out_;
      return std::nullopt;
    }
    ++passed_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::optional<Instant> until_;
  unsigned passed_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace attestbed::proxy
