// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/verdict.h"

#include "tools/attestbed/describe.h"
#include "tools/attestbed/evidence.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string line(const char* verdict, const std::string& what, const std::string& text) {
  std::string out = std::string(verdict) + std::string(8 - std::string_view(verdict).size(), ' ') + what;
  out += std::string(what.size() < 15 ? 15 - what.size() : 1, ' ');
  return out + text + "\n";
}

std::string root_names(const Verdict& verdict) {
  std::string names;
  for (const verify::Certificate& root : verdict.roots) {
    names += (names.empty() ? "" : ", ") + root.common_name() + " (" + verify::printable(root.source(), 200) + ")";
  }
  return names;
}

}  // namespace

std::string verdict_text(const Verdict& verdict) {
  std::string out;
  if (!verdict.report_path.empty()) out += line("report", "", verify::printable(verdict.report_path, 400));
  if (!verdict.policy_path.empty()) out += line("policy", "", verify::printable(verdict.policy_path, 400));
  out += line("at", "", verify::time_text(verdict.at) + (verdict.at_is_now ? " (now)" : ""));
  out += line("trusts", "", root_names(verdict));
  if (!verdict.roots_are_amds) out += line("WARNING", "", kRootNotAmds);
  if (verdict.simulated_chip) out += line("WARNING", "", kSimulatedChip);
  for (const std::string& warning : verdict.warnings) out += line("warning", "", warning);
  for (const verify::Step& step : verdict.passed) out += line("ok", step.check, step.found);
  for (const verify::Refusal& refusal : verdict.refused) {
    out += line("FAILED", error_name(refusal.code),
                refusal.field + ": expected " + refusal.expected + ", found " + refusal.found);
    out += line("", "remedy", file_remedy(refusal.code));
  }
  if (!verdict.facts.empty()) out += "Facts that were not judged:\n" + as_text(verdict.facts);
  if (!verdict.ok()) return out + "REFUSED\n";
  out += verdict.cert_only ? "CHAIN VERIFIED, no report was judged" : "VERIFIED";
  return out + (verdict.roots_are_amds ? "\n" : " UNDER A ROOT THAT IS NOT AMD'S\n");
}

ordered_json verdict_json(const Verdict& verdict) {
  ordered_json json;
  json["verdict"] = verdict.ok() ? "verified" : "refused";
  json["cert_only"] = verdict.cert_only;
  if (!verdict.report_path.empty()) json["report"] = verify::printable(verdict.report_path, 400);
  if (!verdict.policy_path.empty()) json["policy"] = verify::printable(verdict.policy_path, 400);
  json["at"] = verify::time_text(verdict.at);
  json["roots"] = ordered_json::array();
  for (const verify::Certificate& root : verdict.roots) json["roots"].push_back(describe(root));
  json["roots_are_amds"] = verdict.roots_are_amds;
  json["simulated_chip"] = verdict.simulated_chip;
  json["warnings"] = verdict.warnings;
  json["checks"] = ordered_json::array();
  for (const verify::Step& step : verdict.passed) {
    json["checks"].push_back({{"check", step.check}, {"ok", true}, {"found", step.found}});
  }
  for (const verify::Refusal& refusal : verdict.refused) {
    json["checks"].push_back({{"ok", false},
                              {"code", error_name(refusal.code)},
                              {"field", refusal.field},
                              {"expected", refusal.expected},
                              {"found", refusal.found},
                              {"remedy", file_remedy(refusal.code)}});
  }
  if (!verdict.facts.empty()) json["not_judged"] = verdict.facts;
  return json;
}

}  // namespace attestbed::tools
