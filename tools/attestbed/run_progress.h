// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/clock.h"
#include "tools/attestbed/run_testbed.h"

namespace attestbed::tools {

/// GuestsProgress tells on standard error how far the guests of a run are, so that nobody waits without knowing for
/// what. On a terminal it keeps one line, which goes away in the end; elsewhere it writes only what one guest says
/// while it searches for an RSA key, line by line.
class GuestsProgress {
 public:
  GuestsProgress(Clock& clock, std::size_t guests);
  ~GuestsProgress();
  GuestsProgress(const GuestsProgress&) = delete;
  GuestsProgress& operator=(const GuestsProgress&) = delete;

  void tell(const GuestsSoFar& now);

 private:
  void show(const std::string& text);

  Clock& clock_;
  std::size_t guests_;
  Instant begin_;
  std::size_t heard_ = 0;  // octets of the guest's words that were passed on
  bool terminal_, shown_ = false;
};

}  // namespace attestbed::tools
