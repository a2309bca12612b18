// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_table.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tools/attestbed/run_drawing.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

const ordered_json& phases_of(const GuestRun& run) {
  static const ordered_json kNone = ordered_json::array();
  const auto phases = run.result.find("phases");
  return phases == run.result.end() || !phases->is_array() ? kNone : *phases;
}

std::string phase_ms(const GuestRun& run, const char* name) {
  for (const ordered_json& phase : phases_of(run)) {
    if (phase.value("name", "") == name) return milliseconds(phase.value("ms", 0.0));
  }
  return "-";
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

Tally::Tally(std::span<const GuestRun> guests) {
  for (const GuestRun& run : guests) {
    const std::string outcome = run.text("outcome");
    ++(outcome == "released" ? released : outcome == "refused" ? refused : failed);
  }
}

std::string Tally::text() const {
  return std::to_string(released) + " released, " + std::to_string(refused) + " refused, " + std::to_string(failed) +
         " failed";
}

double total_ms(const GuestRun& run) {
  double total = 0;
  for (const ordered_json& phase : phases_of(run)) total += phase.value("ms", 0.0);
  return total;
}

std::string guest_table(std::span<const GuestRun> guests) {
  std::array<char, 256> row{};
  const auto format = [&row](const char* number, const std::string& outcome, const std::string& exit,
                             const std::string& code, const std::string& attestation, const std::string& total,
                             const std::string& report, const std::string& answer) {
    std::snprintf(row.data(), row.size(), "%5s  %-8s  %4s  %-20s  %-16s  %10s  %10s  %10s\n", number, outcome.c_str(),
                  exit.c_str(), code.c_str(), attestation.c_str(), total.c_str(), report.c_str(), answer.c_str());
    return std::string(row.data());
  };
  std::string text = format("guest", "outcome", "exit", "code", "attestation", "total", "report", "answer");
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const GuestRun& run = guests[i];
    text += format(std::to_string(i + 1).c_str(), run.text("outcome"), run.result.value("exit", ordered_json()).dump(),
                   or_dash(run.text("code")), or_dash(run.text("attestation")), milliseconds(total_ms(run)),
                   phase_ms(run, "reported"), phase_ms(run, "answered"));
  }
  return text;
}

std::string times_text(std::span<const GuestRun> guests) {
  std::vector<double> times;
  for (const GuestRun& run : guests) {
    if (run.released()) times.push_back(total_ms(run));
  }
  if (times.empty()) return {};
  std::ranges::sort(times);
  return "fastest " + milliseconds(times.front()) + ", median " + milliseconds(times[times.size() / 2]) + ", slowest " +
         milliseconds(times.back());
}

}  // namespace attestbed::tools
