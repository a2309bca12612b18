// SPDX-License-Identifier: Apache-2.0
#include "core/verify/verify.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "tools/attestbed/describe.h"
#include "tools/attestbed/evidence.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/judgement.h"
#include "tools/attestbed/policy_file.h"
#include "tools/attestbed/subcommands.h"
#include "tools/attestbed/verdict.h"

namespace attestbed::tools {
namespace {

using verify::Certificate;
using verify::Checked;

struct Options {
  EvidencePlaces places;
  KdsFlags kds;
  std::string policy;
  bool cert_only = false;
  bool json = false;
};

constexpr char kFooter[] =
    "Checks format, certificate chain, dates, TCB, chip id and signature. DEBUG, VMPL, policy and measurement are\n"
    "printed as facts: they are yours to judge, or that of --policy (docs/policy.md). `attestbed explain` says of\n"
    "every check what it found, and what to do next where one failed. AMD's ASK and ASVK are filled in where the\n"
    "chain lacks them; a root that is only in --certs is never trusted. A malformed file ends the run if --certs\n"
    "names it, and is skipped with a warning if it was met in a directory (*.der, *.crt, *.cer, *.pem).\n"
    "Examples:\n"
    "  attestbed verify report.bin --certs vcek.der\n"
    "  attestbed verify report.bin --certs certs/ --at 2025-10-01T00:00:00Z --json\n"
    "  attestbed verify report.bin --certs certs/ --root ark.pem\n"
    "  attestbed verify report.bin --certs certs/ --policy strict.toml\n"
    "  attestbed verify report.bin --kds amd --kds-cache kds/ --crl kds\n"
    "  attestbed verify --cert-only --certs vcek.der\n"
    "Exit codes: 0 verified; 1 refused: a check failed, or report or --certs are malformed; 2 usage, or --policy,\n"
    "--root or --crl is no such file; 3 a file cannot be read or is too large, or the KDS cannot be asked.\n";

void judge_one(const Evidence& evidence, KdsAccess& kds, const std::optional<verify::Policy>& policy,
               Verdict& verdict) {
  const JudgeUntil until = verdict.cert_only ? JudgeUntil::the_chain : JudgeUntil::the_report;
  ReportJudgement judged = judge_report(evidence, kds, until);
  verdict.passed = std::move(judged.passed);
  if (judged.refused) verdict.refused.push_back(*std::move(judged.refused));
  if (judged.report) verdict.simulated_chip = is_simulated_chip(judged.report->chip_id);
  if (judged.report && !verdict.cert_only && !policy) verdict.facts = describe_facts(*judged.report);
  if (!judged.verified || !policy) return;
  for (verify::Finding& finding : verify::appraise_all(*judged.verified, *policy)) {
    if (finding.outcome == verify::Outcome::failed) verdict.refused.push_back(finding.refusal());
    if (finding.outcome == verify::Outcome::passed) {
      verdict.passed.push_back({std::string("policy: ") + finding.check, finding.found});
    }
  }
}

void judge_certificates(const Evidence& evidence, KdsAccess& kds, Verdict& verdict) {
  std::size_t veks = 0;
  for (const Certificate& certificate : evidence.loaded.certificates) {
    if (certificate.kind() != Certificate::Kind::vcek && certificate.kind() != Certificate::Kind::vlek) continue;
    ++veks;
    verify::Steps passed;
    const auto vek =
        verify::verify_chain(certificate, evidence.loaded.certificates, evidence.roots, evidence.at, &passed);
    const Checked<void> good = vek ? kds.check_revocation(*vek, evidence.at, &passed) : Checked<void>(vek.error());
    if (good) verdict.passed.insert(verdict.passed.end(), passed.begin(), passed.end());
    if (!good) verdict.refused.push_back(good.error());
  }
  if (veks > 0) return;
  verdict.refused.push_back({Errc::certificate_missing, "--certs", "a VCEK or VLEK",
                             std::to_string(evidence.loaded.certificates.size()) + " certificates of other kinds"});
}

int verify_command(const Options& options) {
  std::optional<verify::Policy> policy;
  if (!options.policy.empty()) {
    const Checked<verify::Policy> read = read_policy(options.policy);
    if (!read) return refuse_to_begin("verify", read.error());
    policy = *read;
  }
  const Checked<Evidence> evidence = read_evidence(options.places);
  if (!evidence) return refuse_to_begin("verify", evidence.error());
  const Checked<std::unique_ptr<KdsAccess>> kds = KdsAccess::make(options.kds);
  if (!kds) return refuse_to_begin("verify", kds.error());
  Verdict verdict;
  verdict.report_path = options.places.report;
  verdict.policy_path = options.policy;
  verdict.at = evidence->at;
  verdict.at_is_now = evidence->at_is_now;
  verdict.roots.assign(evidence->roots.certificates().begin(), evidence->roots.certificates().end());
  verdict.roots_are_amds = !evidence->roots.simulated();
  verdict.warnings = evidence->loaded.warnings;
  verdict.cert_only = options.cert_only;
  if (options.places.report.empty()) {
    judge_certificates(*evidence, **kds, verdict);
  } else {
    judge_one(*evidence, **kds, policy, verdict);
  }
  const std::string out = options.json ? verdict_json(verdict).dump(2) + "\n" : verdict_text(verdict);
  std::fputs(out.c_str(), stdout);
  for (const verify::Refusal& refusal : verdict.refused) {
    std::fprintf(stderr, "attestbed verify: %s\n", refusal.text().c_str());
  }
  return verdict.ok() ? kExitOk : exit_code_of(verdict.refused.front().code);
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("verify", "Verify a report and its certificates");
  CLI::Option* report =
      add_evidence_options(*command, options->places, "The report, 1184 octets; may be omitted with --cert-only");
  command->add_option("--policy", options->policy, "Judge the verified report by this policy, too (TOML)");
  CLI::Option* cert_only =
      command->add_flag("--cert-only", options->cert_only,
                        "Stop after the chain; without REPORT check every VCEK and VLEK that was given");
  command->add_flag("--json", options->json, "One JSON object; octets as hex");
  add_kds_flags(*command, options->kds);
  command->footer(kFooter);
  command->get_option("--policy")->excludes(cert_only);
  command->callback([options, report, &exit_code] {
    if (report->count() == 0 && !options->cert_only) throw CLI::RequiredError("REPORT");
    require_certificates(options->places, options->kds);
    exit_code = verify_command(*options);
  });
}

}  // namespace attestbed::tools
