// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/judgement.h"

namespace attestbed::tools {
namespace {

using verify::Checked;

Checked<void> judge(const Evidence& evidence, KdsAccess& kds, JudgeUntil until, ReportJudgement& into) {
  into.report = TRY(verify::check_form(evidence.report));
  const snp::RawReport& report = *into.report;
  into.passed.push_back({"form", "version " + std::to_string(report.version) + ", reserved fields zero"});
  std::vector<verify::Certificate> certificates = evidence.loaded.certificates;
  TRY(kds.complete(report, evidence.roots, certificates));
  const verify::Certificate chosen = TRY(verify::select_vek(report, certificates));
  into.passed.push_back({"selection", std::string(kind_name(chosen.kind())) + " " +
                                          verify::printable(chosen.source(), 200) + ", of " +
                                          std::to_string(certificates.size()) + " certificates"});
  into.vek = TRY(verify::verify_chain(chosen, certificates, evidence.roots, evidence.at, &into.passed));
  if (until == JudgeUntil::the_chain) return kds.check_revocation(*into.vek, evidence.at, &into.passed);
  const verify::VerifiedReport verified = TRY(verify::verify_report(report, *into.vek, &into.passed));
  TRY(kds.check_revocation(*into.vek, evidence.at, &into.passed));
  into.verified = verified;
  return {};
}

}  // namespace

ReportJudgement judge_report(const Evidence& evidence, KdsAccess& kds, JudgeUntil until) {
  for (bool again = true;; again = false) {
    ReportJudgement judgement;
    const Checked<void> judged = judge(evidence, kds, until, judgement);
    if (judged) return judgement;
    // A cache may hold what never verifies. Once is enough: after that everything is the KDS's own.
    if (again && kds.forget_refused(judged.error())) continue;
    judgement.refused = judged.error();
    return judgement;
  }
}

}  // namespace attestbed::tools
