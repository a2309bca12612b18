// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/verify/verify.h"
#include "tools/attestbed/evidence.h"
#include "tools/attestbed/kds_access.h"

namespace attestbed::tools {

/// ReportJudgement is how far a report came: the checks that it passed, of verification_checks() in their order, and
/// the refusal that ended them.
struct ReportJudgement {
  verify::Steps passed;
  std::optional<verify::Refusal> refused;
  std::optional<snp::RawReport> report;  // once its form is known; nothing in it is proven by that
  std::optional<verify::Vek> vek;
  std::optional<verify::VerifiedReport> verified;
};

/// judge_report makes every check on a report. What `kds` adds to the evidence is judged like every file; what it could
/// not add is the refusal of the check that needed it, "selection" or "revocation".
enum class JudgeUntil { the_chain, the_report };
ReportJudgement judge_report(const Evidence& evidence, KdsAccess& kds, JudgeUntil until = JudgeUntil::the_report);

}  // namespace attestbed::tools
