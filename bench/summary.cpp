// SPDX-License-Identifier: Apache-2.0
#include "bench/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace attestbed::bench {
namespace {

using nlohmann::json;

struct Measurement {
  double value;
  std::string label;
};
using Measurements = std::map<std::string, Measurement, std::less<>>;

bool is_row(const json& row) {
  return row.is_object() && row.contains("name") && row["name"].is_string();
}

/// counter_in finds what `run` measured of `target`; null if nothing.
const json* counter_in(const json& run, const Target& target) {
  const Counter elsewhere = target.elsewhere;
  const bool is_elsewhere = !elsewhere.benchmark.empty() && run.value("name", "") == elsewhere.benchmark;
  const auto counter = run.find(is_elsewhere ? elsewhere.counter : target.name);
  // What is not a number, or is infinite, is written as a string or null.
  return counter != run.end() && counter->is_number() ? &*counter : nullptr;
}

/// collect takes the counters named after targets out of one output. A benchmark that skipped itself measured nothing.
bool collect(const json& output, std::span<const Target> table, Measurements& into) {
  if (!output.is_object() || !output.contains("benchmarks") || !output["benchmarks"].is_array()) return false;
  for (const json& run : output["benchmarks"]) {
    if (!run.is_object()) return false;
    if (run.contains("error_occurred") || run.value("run_type", "iteration") != "iteration") continue;
    for (const Target& target : table) {
      const json* const counter = counter_in(run, target);
      if (counter == nullptr) continue;
      into[std::string(target.name)] = {counter->get<double>(), run.value("label", "")};
    }
  }
  return true;
}

bool meets(const Target& target, double value) {
  return target.bound == Bound::at_most ? value <= target.goal : value >= target.goal;
}

json row_of(const Target& target, const Measurement* measured) {
  std::string how(target.how);
  if (measured == nullptr) {
    how = "not measured in this run; " + how;
  } else if (!measured->label.empty()) {
    how += "; " + measured->label;
  }
  return {{"name", target.name},
          {"value", measured != nullptr ? json(measured->value) : json(nullptr)},
          {"unit", target.unit},
          {"goal", target.goal},
          {"met", measured != nullptr && meets(target, measured->value)},
          {"how", how}};
}

std::string short_number(const json& value) {
  if (!value.is_number()) return "-";
  const double number = value.get<double>();
  char text[32];
  std::snprintf(text, sizeof text, number == std::floor(number) && std::abs(number) < 1e9 ? "%.0f" : "%.3f", number);
  return text;
}

}  // namespace

Result<json> merged(const json& existing, std::span<const Target> table, std::string_view suite,
                    std::span<const json> outputs) {
  if (!existing.is_array() || !std::ranges::all_of(existing, is_row)) return Error{Errc::bad_json, "summary"};
  Measurements measured;
  for (const json& output : outputs) {
    if (!collect(output, table, measured)) return Error{Errc::bad_json, "benchmark output"};
  }
  json rows = json::array();
  for (const Target& target : table) {
    const auto here = measured.find(target.name);
    const auto before = std::ranges::find_if(existing, [&](const json& row) { return row["name"] == target.name; });
    if (target.suite != suite && before != existing.end()) {
      rows.push_back(*before);
    } else {
      rows.push_back(row_of(target, target.suite == suite && here != measured.end() ? &here->second : nullptr));
    }
  }
  for (const json& row : existing) {
    const bool known = std::ranges::any_of(table, [&](const Target& target) { return row["name"] == target.name; });
    if (!known) rows.push_back(row);
  }
  return rows;
}

std::string text_table(const json& summary) {
  std::string text;
  char line[256];
  std::snprintf(line, sizeof line, "%-28s %10s %10s  %-6s %s\n", "target", "value", "goal", "met", "unit");
  text += line;
  for (const json& row : summary) {
    const bool met = row.contains("met") && row["met"] == true;
    const bool measured = row.contains("value") && row["value"].is_number();
    std::snprintf(line, sizeof line, "%-28.60s %10s %10s  %-6s %.80s\n", row.value("name", "").c_str(),
                  short_number(row.value("value", json())).c_str(), short_number(row.value("goal", json())).c_str(),
                  met        ? "yes"
                  : measured ? "NO"
                             : "absent",
                  row.value("unit", "").c_str());
    text += line;
  }
  return text;
}

}  // namespace attestbed::bench
