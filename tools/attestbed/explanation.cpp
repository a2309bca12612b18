// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/explanation.h"

#include <algorithm>

#include "tools/attestbed/explain_causes.h"
#include "tools/attestbed/fetch_commands.h"

namespace attestbed::tools {
namespace {

using Verdict = ExplainedCheck::Verdict;

// A masked chip has no marker: then only a root that is not AMD's tells.
bool is_simulated(const snp::RawReport& report, const verify::TrustedRoots& roots) {
  const bool masked = std::ranges::all_of(report.chip_id, [](std::uint8_t octet) { return octet == 0; });
  return is_simulated_chip(report.chip_id) || (masked && roots.simulated());
}

NextPlaces places_of(const Explanation& explanation, const ReportJudgement& judgement, const FetchFrom& from) {
  NextPlaces places;
  places.report = shell_words({explanation.places.report});
  places.certs = shell_words(explanation.places.certificates);
  places.root = shell_words(explanation.places.roots);
  places.policy =
      explanation.policy_path.empty() ? "a policy file (docs/policy.md)" : shell_words({explanation.policy_path});
  places.fetch_vcek = fetch_vcek_command(from, judgement.report);
  places.fetch_crl = fetch_crl_command(from, judgement.vek);
  places.try_kds = try_kds_command(from, judgement.report);
  places.kds_options = kds_options(from);
  places.another_kds = another_kds(from);
  return places;
}

/// put_failure makes `check` the failure that `refusal` tells of, with its cause.
void put_failure(ExplainedCheck& check, const verify::Refusal& refusal, const NextPlaces& places) {
  check.verdict = Verdict::failed;
  check.code = refusal.code;
  check.field = refusal.field;
  check.expected = refusal.expected;
  check.found = refusal.found;
  if (const Cause* const cause = cause_of(check.check, refusal.code)) {
    check.cause = cause->cause;
    check.next = filled_in(cause->next, places);
  }
}

std::vector<ExplainedCheck> report_checks(const ReportJudgement& judgement, const NextPlaces& places) {
  std::vector<ExplainedCheck> checks;
  for (const verify::VerificationCheck& declared : verify::verification_checks()) {
    ExplainedCheck& check = checks.emplace_back();
    check.check = declared.name;
    const std::size_t at = checks.size() - 1;
    if (at < judgement.passed.size()) {
      check.verdict = Verdict::passed;
      check.found = judgement.passed[at].found;
    } else if (!judgement.refused) {
      check.verdict = Verdict::not_asked;
    } else if (at == judgement.passed.size()) {
      put_failure(check, *judgement.refused, places);
    }
  }
  return checks;
}

std::vector<ExplainedCheck> policy_checks(const ReportJudgement& judgement, const verify::Policy& policy,
                                          const NextPlaces& places) {
  std::vector<ExplainedCheck> checks;
  if (!judgement.verified) {
    for (const verify::PolicyCheck& declared : verify::policy_checks()) checks.emplace_back().check = declared.name;
    return checks;
  }
  for (const verify::Finding& finding : verify::appraise_all(*judgement.verified, policy)) {
    ExplainedCheck& check = checks.emplace_back();
    check.check = finding.check;
    check.verdict = finding.outcome == verify::Outcome::passed ? Verdict::passed : Verdict::not_asked;
    check.found = finding.found;
    if (finding.outcome == verify::Outcome::failed) put_failure(check, finding.refusal(), places);
  }
  return checks;
}

}  // namespace

std::size_t Explanation::count(Verdict verdict) const {
  const auto of = [verdict](const std::vector<ExplainedCheck>& checks) {
    return static_cast<std::size_t>(std::ranges::count(checks, verdict, &ExplainedCheck::verdict));
  };
  return of(report_checks) + of(policy_checks);
}

Explanation explain(const Evidence& evidence, const ReportJudgement& judgement, const EvidencePlaces& places,
                    const KdsFlags& kds, const verify::Policy& policy, const std::string& policy_path) {
  Explanation explanation;
  explanation.places = places;
  explanation.policy_path = policy_path;
  explanation.at = evidence.at;
  explanation.at_is_now = evidence.at_is_now;
  explanation.roots.assign(evidence.roots.certificates().begin(), evidence.roots.certificates().end());
  explanation.roots_are_amds = !evidence.roots.simulated();
  explanation.warnings = evidence.loaded.warnings;
  explanation.simulated_chip = judgement.report && is_simulated_chip(judgement.report->chip_id);
  const FetchFrom from{.kds = kds.own_url(),
                       .simulated = judgement.report && is_simulated(*judgement.report, evidence.roots)};
  const NextPlaces next = places_of(explanation, judgement, from);
  explanation.report_checks = report_checks(judgement, next);
  explanation.policy_checks = policy_checks(judgement, policy, next);
  return explanation;
}

}  // namespace attestbed::tools
