// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/attestbed/evidence.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/explanation.h"
#include "tools/attestbed/judgement.h"
#include "tools/attestbed/policy_file.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

using verify::Checked;

struct Options {
  EvidencePlaces places;
  KdsFlags kds;
  std::string policy;
  bool json = false;
  bool all = false;
};

constexpr char kFooter[] =
    "Every check there is on a report and on your policy (docs/policy.md), each with its verdict; for each failure\n"
    "the likely cause and what to run or do next. Without --policy only debug and a migration agent are refused,\n"
    "without --crl nobody is asked whether the chain was revoked.\n"
    "Examples:\n"
    "  attestbed explain report.bin --certs certs/ --policy strict.toml\n"
    "  attestbed explain report.bin --certs ca/ --root ca/ark.pem --policy strict.toml --json\n"
    "  attestbed explain report.bin --kds amd --kds-cache kds/ --crl kds\n"
    "Exit codes: 0 every check passed; 1 one failed, or --certs are malformed; 2 usage, or --policy, --root or --crl "
    "is\n"
    "no such file; 3 a file cannot be read or is too large, or the KDS cannot be asked.\n";

int explain_command(const Options& options) {
  verify::Policy policy;
  if (!options.policy.empty()) {
    const Checked<verify::Policy> read = read_policy(options.policy);
    if (!read) return refuse_to_begin("explain", read.error());
    policy = *read;
  }
  const Checked<Evidence> evidence = read_evidence(options.places);
  if (!evidence) return refuse_to_begin("explain", evidence.error());
  const Checked<std::unique_ptr<KdsAccess>> kds = KdsAccess::make(options.kds);
  if (!kds) return refuse_to_begin("explain", kds.error());
  const ReportJudgement judgement = judge_report(*evidence, **kds);
  const Explanation explanation = explain(*evidence, judgement, options.places, options.kds, policy, options.policy);
  const std::string out = options.json ? explanation_json(explanation).dump(2) + "\n"
                                       : explanation_text(explanation, options.all ? Unasked::named : Unasked::counted);
  std::fputs(out.c_str(), stdout);
  if (explanation.accepted()) return kExitOk;
  return judgement.refused ? exit_code_of(judgement.refused->code) : kExitRefused;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("explain", "Say of every check on a report why it passes or fails");
  add_evidence_options(*command, options->places, "The report, 1184 octets")->required();
  add_kds_flags(*command, options->kds);
  command->add_option("--policy", options->policy, "Judge the verified report by this policy (TOML)");
  command->add_flag("--all", options->all, "Name the checks that were not reached or not asked for, too");
  command->add_flag("--json", options->json, "One JSON object, every check in it");
  command->footer(kFooter);
  command->callback([options, &exit_code] {
    require_certificates(options->places, options->kds);
    exit_code = explain_command(*options);
  });
}

}  // namespace attestbed::tools
