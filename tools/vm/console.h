// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/clock.h"

namespace attestbed::vm {

/// ConsoleLine is a line that attest-guest wrote on the guest's console, without its name and the line's end; whatever
/// is not printable ASCII is `?`.
///   at  when it had been read whole, on this machine
struct ConsoleLine {
  std::string text;
  Instant at;
};

/// Console finds what attest-guest says among all that a guest's kernel prints. Everything is the guest's word: in a VM
/// without SNP that is also the host's.
class Console {
 public:
  /// kMaxLines is how many lines are kept; a guest that says more is cut off there.
  static constexpr std::size_t kMaxLines = 4096;

  /// read looks at what has come since the last call; `all` is the whole output so far. `tell` hears each new line.
  void read(std::string_view all, Instant now, const std::function<void(const ConsoleLine&)>& tell = {});

  const std::vector<ConsoleLine>& lines() const { return lines_; }
  /// result is the JSON object of the line `result {…}`; empty if there was none. Of several, the first: PID 1 writes
  /// one, and what comes after it comes from a later program.
  std::string result() const;
  /// words are the line for people that follows the result; empty if there is none.
  std::string words() const;
  /// arrival is when a line beginning with `prefix` had been read; absent if none was.
  std::optional<Instant> arrival(std::string_view prefix) const;

 private:
  std::size_t seen_ = 0;
  std::vector<ConsoleLine> lines_;
};

/// panic_in is the kernel's line that says why it gave up; empty if it did not.
std::string panic_in(std::string_view console);

}  // namespace attestbed::vm
