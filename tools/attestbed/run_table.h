// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// Tally counts how many guests ended in which way.
struct Tally {
  std::size_t released = 0, refused = 0, failed = 0;

  explicit Tally(std::span<const GuestRun> guests);
  std::string text() const;  // "62 released, 1 refused, 1 failed"
};

/// total_ms is the time of one guest from its start to its last completed step.
double total_ms(const GuestRun& run);

/// guest_table shows many guests, one line each: number, outcome, exit, code, attestation, time in all, and of that the
/// time in which the guest waited for its report and for the answer to it.
std::string guest_table(std::span<const GuestRun> guests);

/// times_text is one line about all of them: "fastest 12.1 ms, median 20.0 ms, slowest 31.5 ms". Empty if none was
/// released.
std::string times_text(std::span<const GuestRun> guests);

}  // namespace attestbed::tools
