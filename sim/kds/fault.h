// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/failure.h"

namespace attestbed::sim {

/// KdsFaultKind is what a KDS may do to a request.
///   status    answers with this status (404, 429, 500 to 599); 429 with Retry-After if an argument says how many
///   seconds delay     answers rightly, after so many milliseconds garbage   answers 200 with octets that are nothing
///   truncate  answers 200, says how long the body is and ends after so many octets of it (half, if absent)
enum class KdsFaultKind : std::uint8_t { status, delay, garbage, truncate };

/// KdsFault is one of them at one place in the KDS's life. Faults are data: a run is repeated from its printed plan.
///   nth_request  counted from 1
///   onwards      also every later request
struct KdsFault {
  std::uint64_t nth_request = 1;
  bool onwards = false;
  KdsFaultKind kind = KdsFaultKind::status;
  int status = 0;  // of kind status
  std::optional<std::uint32_t> argument;
  friend bool operator==(const KdsFault&, const KdsFault&) = default;
};

inline constexpr std::uint32_t kMaxKdsFaultArgument = 600'000;

/// kds_fault_text prints N[+]:KIND[:ARGUMENT], such as "2:429:10", "1+:503" or "3:delay:500"; parse_kds_fault reads it.
/// Errors: bad_config.
std::string kds_fault_text(const KdsFault& fault);
Result<KdsFault> parse_kds_fault(std::string_view text);

/// KdsFaultPlan is what happens at one KDS; the first fault that fits a request is taken.
using KdsFaultPlan = std::vector<KdsFault>;
const KdsFault* kds_fault_at(const KdsFaultPlan& plan, std::uint64_t request);

}  // namespace attestbed::sim
