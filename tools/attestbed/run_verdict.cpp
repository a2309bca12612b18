// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_verdict.h"

#include <algorithm>

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string text_at(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// From the words of that side alone: what others say about it does not count.
std::string code_at(Side side, const GuestRun& run) {
  switch (side) {
    case Side::guest:
      return run.text("code");
    case Side::proxy:
      return text_at(run.proxy, "code");
    case Side::broker:
      for (const BrokerCall& call : run.calls) {
        if (!call.judgement.is_null()) return text_at(call.judgement, "code");
      }
  }
  return {};
}

ordered_json or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

std::string or_none(const std::string& text) {
  return text.empty() ? "nothing" : text;
}

}  // namespace

BreakVerdict judge_break(const BreakRow& row, const GuestRun& run) {
  BreakVerdict verdict{.found_code = code_at(row.noticed_by, run),
                       .found_guest_code = run.text("code"),
                       .found_exit = run.result.value("exit", 0)};
  verdict.met = verdict.found_code == error_name(row.code) && verdict.found_guest_code == error_name(row.guest_code) &&
                verdict.found_exit == row.guest_exit();
  return verdict;
}

ordered_json break_json(const BreakRow& row, const GuestRun& run) {
  const BreakVerdict verdict = judge_break(row, run);
  ordered_json json = {{"what", row.what},
                       {"broken", row.broken},
                       {"noticed_by", side_name(row.noticed_by)},
                       {"program", side_program(row.noticed_by)},
                       {"expected_code", error_name(row.code)},
                       {"found_code", or_null(verdict.found_code)},
                       {"expected_guest_code", error_name(row.guest_code)},
                       {"found_guest_code", or_null(verdict.found_guest_code)},
                       {"expected_exit", row.guest_exit()},
                       {"found_exit", verdict.found_exit},
                       {"met", verdict.met},
                       {"log", ordered_json::array()}};
  for (const LogLine& line : run.complaints) json["log"].push_back({{"program", line.program}, {"line", line.text}});
  return json;
}

std::string break_unmet(const BreakRow& row, const GuestRun& run) {
  const BreakVerdict verdict = judge_break(row, run);
  if (verdict.met) return {};
  return "NOT NOTICED AS EXPECTED: --break " + std::string(row.what) + ": the " + side_name(row.noticed_by) +
         " should say " + error_name(row.code) + " and said " + or_none(verdict.found_code) +
         "; attest-guest should exit " + std::to_string(row.guest_exit()) + " (" + error_name(row.guest_code) +
         ") and exited " + std::to_string(verdict.found_exit) + " (" + or_none(verdict.found_guest_code) + ")";
}

std::string break_text(const BreakRow& row, const GuestRun& run) {
  const std::string unmet = break_unmet(row, run);
  std::string text = "broken       " + std::string(row.what) + ": " + row.broken + "\n";
  text += unmet.empty() ? "noticed by   the " + std::string(side_name(row.noticed_by)) +
                              ", as expected: " + error_name(row.code) + "; attest-guest exit " +
                              std::to_string(row.guest_exit()) + "\n"
                        : "\n*** " + unmet + " ***\n\n";
  text += "in the logs\n";
  for (const LogLine& line : run.complaints) text += "  " + line.program + ": " + line.text + "\n";
  return text;
}

}  // namespace attestbed::tools
