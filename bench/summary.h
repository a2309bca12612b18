// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/targets.h"
#include "core/base/result.h"

// build/bench/summary.json: an array with one object per target. Several commands write to it, each its own suite:
//   name, unit, goal   of the target
//   value              a number; null if it was not measured
//   met                whether the value reaches the goal; false without a value
//   how                how it was measured, with the figures behind the value
namespace attestbed::bench {

/// merged is `existing` after a run of `suite`, whose Google Benchmark outputs are `outputs`: every target of the suite
/// has the row of this run, also where nothing measured it; targets of other suites and rows that are in no table stay
/// as they are.
///   errors  bad_json if `existing` is no array of objects with a name, or an output is none of Google Benchmark's
Result<nlohmann::json> merged(const nlohmann::json& existing, std::span<const Target> table, std::string_view suite,
                              std::span<const nlohmann::json> outputs);

/// text_table shows a summary to people: one line a row.
std::string text_table(const nlohmann::json& summary);

}  // namespace attestbed::bench
