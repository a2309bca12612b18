// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "core/verify/refusal.h"

namespace attestbed::kbs {

/// WallClock tells the date: for certificate validity, token claims and the cookie's Expires. How long a session lives
/// is measured on the monotonic Clock, so that setting the date neither revives nor ends one.
class WallClock {
 public:
  virtual verify::Time now() = 0;

 protected:
  ~WallClock() = default;
};

class SystemWallClock final : public WallClock {
 public:
  verify::Time now() override { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }
};

}  // namespace attestbed::kbs
