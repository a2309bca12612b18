// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/attestbed/run_break.h"
#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// BreakVerdict compares what a break should lead to with what the logs of a run say.
///   found_code  the code in the log of the side that must notice; empty if there is none
///   found_guest_code, found_exit  how attest-guest ended
///   met         all three are as the row wants them
struct BreakVerdict {
  std::string found_code, found_guest_code;
  int found_exit = 0;
  bool met = false;
};
BreakVerdict judge_break(const BreakRow& row, const GuestRun& run);

/// break_json is the verdict as an object: {what, broken, noticed_by, program, expected_code, found_code,
/// expected_guest_code, found_guest_code, expected_exit, found_exit, met, log: [{program, line}]}; a code is null if
/// there was none.
nlohmann::ordered_json break_json(const BreakRow& row, const GuestRun& run);

/// break_text is the verdict for people, with the lines that each side logged about it.
std::string break_text(const BreakRow& row, const GuestRun& run);

/// break_unmet is one line of complaint, empty if the expectation was met.
std::string break_unmet(const BreakRow& row, const GuestRun& run);

}  // namespace attestbed::tools
