// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::verify {

/// Refusal is one failed check: a stable code, the field, what was expected and what was found, in words for people.
/// Every text is printable ASCII of bounded length, also where it quotes a certificate or a report.
struct Refusal {
  Errc code = Errc::internal;
  std::string field;
  std::string expected;
  std::string found;
  /// text is one line: "tcb_mismatch: REPORTED_TCB.microcode: expected 219, found 220; <remedy>", the remedy
  /// being that for files.
  std::string text() const;
};
template <class T>
using Checked = Result<T, Refusal>;

/// Step is one check that passed, and what it saw; a program that shows its reasoning hands a Steps to be filled.
struct Step {
  std::string check;
  std::string found;
};
using Steps = std::vector<Step>;

/// Time is always an argument here: this library knows no clock.
using Time = std::chrono::sys_seconds;

/// time_text is RFC 3339 in UTC, "2025-10-01T00:00:00Z".
std::string time_text(Time time);
/// time_parse reads RFC 3339 with seconds and `Z` or a numeric offset. Errors: bad_value.
Checked<Time> time_parse(std::string_view text);

std::string hex_text(Bytes octets);
/// printable replaces what is not printable ASCII by `\xNN` and cuts at `max` characters with "...": foreign text goes
/// through it before it reaches a terminal or a log.
std::string printable(std::string_view text, std::size_t max = 120);

}  // namespace attestbed::verify
