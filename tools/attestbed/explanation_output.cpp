// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/attestbed/describe.h"
#include "tools/attestbed/explanation.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using verify::printable;
using Verdict = ExplainedCheck::Verdict;

constexpr std::size_t kVerdictWidth = 8, kCheckWidth = 33;

const char* json_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::not_reached:
      return "not_reached";
    case Verdict::not_asked:
      return "not_asked";
  }
  return "?";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string line(const char* verdict, const std::string& check, const std::string& text) {
  return "  " + padded(verdict, kVerdictWidth) + padded(check, kCheckWidth) + text + "\n";
}

std::string check_text(const ExplainedCheck& check) {
  if (check.verdict == Verdict::passed) return line("ok", check.check, check.found);
  if (check.verdict != Verdict::failed) return {};
  const auto detail = [](const char* name, const std::string& text) {
    return std::string(2 + kVerdictWidth, ' ') + "  " + padded(name, 10) + text + "\n";
  };
  return line("FAILED", check.check, error_name(check.code)) + detail("field", check.field) +
         detail("expected", check.expected) + detail("found", check.found) + detail("cause", check.cause) +
         detail("next", check.next);
}

/// rest_text names what has nothing to tell, a few names a line, or counts it.
std::string rest_text(const std::vector<ExplainedCheck>& checks, Verdict verdict, const char* title, Unasked unasked) {
  constexpr std::size_t kLine = 110;
  constexpr std::ptrdiff_t kFew = 3;
  const auto count = std::ranges::count(checks, verdict, &ExplainedCheck::verdict);
  if (count > kFew && unasked == Unasked::counted) {
    return "  " + padded(title, kVerdictWidth + 4) + std::to_string(count) + " checks (--all names them)\n";
  }
  std::string text, row;
  for (const ExplainedCheck& check : checks) {
    if (check.verdict != verdict) continue;
    if (row.empty()) row = "  " + padded(title, kVerdictWidth + 4);
    if (row.size() + check.check.size() > kLine) {
      text += row.substr(0, row.size() - 1) + "\n";  // without the space behind its last comma
      row = std::string(2 + kVerdictWidth + 4, ' ');
    }
    row += check.check + ", ";
  }
  if (row.empty()) return text;
  return text + row.substr(0, row.size() - 2) + "\n";
}

std::string checks_text(const std::vector<ExplainedCheck>& checks, Unasked unasked) {
  std::string text;
  for (const ExplainedCheck& check : checks) text += check_text(check);
  return text + rest_text(checks, Verdict::not_reached, "not reached", unasked) +
         rest_text(checks, Verdict::not_asked, "not asked", unasked);
}

/// failures_text names what failed where the eye ends, "selection (certificate_missing) failed; ".
std::string failures_text(const Explanation& explanation) {
  std::string names;
  for (const auto* checks : {&explanation.report_checks, &explanation.policy_checks}) {
    for (const ExplainedCheck& check : *checks) {
      if (check.verdict != Verdict::failed) continue;
      names += (names.empty() ? "" : ", ") + check.check + " (" + error_name(check.code) + ")";
    }
  }
  return names + " failed; ";
}

std::string head_line(const char* name, const std::string& text) {
  return padded(name, kVerdictWidth) + text + "\n";
}

std::string root_names(const Explanation& explanation) {
  std::string names;
  for (const verify::Certificate& root : explanation.roots) {
    names += (names.empty() ? "" : ", ") + root.common_name() + " (" + printable(root.source(), 200) + ")";
  }
  return names;
}

ordered_json check_json(const char* layer, const ExplainedCheck& check) {
  ordered_json json{{"layer", layer}, {"check", check.check}, {"verdict", json_word(check.verdict)}};
  if (check.verdict == Verdict::passed) json["found"] = check.found;
  if (check.verdict != Verdict::failed) return json;
  json["code"] = error_name(check.code);
  json["field"] = check.field;
  json["expected"] = check.expected;
  json["found"] = check.found;
  json["cause"] = check.cause;
  json["next"] = check.next;
  return json;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, Unasked unasked) {
  std::string out = head_line("report", printable(explanation.places.report, 400));
  out += head_line("policy", explanation.policy_path.empty() ? "none: only debug and migration agent are refused"
                                                             : printable(explanation.policy_path, 400));
  out += head_line("at", verify::time_text(explanation.at) + (explanation.at_is_now ? " (now)" : ""));
  out += head_line("trusts", root_names(explanation));
  if (!explanation.roots_are_amds) out += head_line("WARNING", kRootNotAmds);
  if (explanation.simulated_chip) out += head_line("WARNING", kSimulatedChip);
  for (const std::string& warning : explanation.warnings) out += head_line("warning", warning);
  out += "\nIs the report real?\n" + checks_text(explanation.report_checks, unasked);
  out += "\nIs it what the policy asks for?\n" + checks_text(explanation.policy_checks, unasked) + "\n";
  const std::size_t failed = explanation.count(Verdict::failed), passed = explanation.count(Verdict::passed);
  const std::string checks = std::to_string(passed) + " of " + std::to_string(passed + failed) + " checks passed, " +
                             std::to_string(explanation.count(Verdict::not_asked)) + " were not asked for";
  const std::size_t missed = explanation.count(Verdict::not_reached);
  const std::string rest = missed == 0 ? "" : ", " + std::to_string(missed) + " were not reached";
  return out + (explanation.accepted() ? "ACCEPTED: " : "REFUSED: " + failures_text(explanation)) + checks + rest +
         (explanation.roots_are_amds ? "\n" : ", UNDER A ROOT THAT IS NOT AMD'S\n");
}

ordered_json explanation_json(const Explanation& explanation) {
  ordered_json json;
  json["verdict"] = explanation.accepted() ? "accepted" : "refused";
  json["report"] = printable(explanation.places.report, 400);
  if (explanation.policy_path.empty()) {
    json["policy"] = nullptr;
  } else {
    json["policy"] = printable(explanation.policy_path, 400);
  }
  json["at"] = verify::time_text(explanation.at);
  json["roots"] = ordered_json::array();
  for (const verify::Certificate& root : explanation.roots) json["roots"].push_back(describe(root));
  json["roots_are_amds"] = explanation.roots_are_amds;
  json["simulated_chip"] = explanation.simulated_chip;
  json["warnings"] = explanation.warnings;
  json["checks"] = ordered_json::array();
  for (const ExplainedCheck& check : explanation.report_checks) json["checks"].push_back(check_json("report", check));
  for (const ExplainedCheck& check : explanation.policy_checks) json["checks"].push_back(check_json("policy", check));
  return json;
}

}  // namespace attestbed::tools
