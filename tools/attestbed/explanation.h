// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/verify/verify.h"
#include "tools/attestbed/judgement.h"

namespace attestbed::tools {

/// ExplainedCheck is one line of an explanation. For a failure, `cause` says what most likely stands behind it and
/// `next` what to run or do.
struct ExplainedCheck {
  enum class Verdict { passed, failed, not_reached, not_asked };

  std::string check;
  Verdict verdict = Verdict::not_reached;
  std::string field, expected, found;  // of what passed only `found`
  Errc code = Errc::internal;          // of a failure
  std::string cause, next;
};

/// Explanation is every check that there is on a report, and what came of it.
///   report_checks  those of verification_checks(): after a failure the rest is not reached; revocation is not asked
///                  for without --crl
///   policy_checks  those of verify::policy_checks(): not reached unless the report verified
struct Explanation {
  EvidencePlaces places;
  std::string policy_path;  // empty: none was given, and only what is never allowed by default is asked
  verify::Time at;
  bool at_is_now = false;
  std::vector<verify::Certificate> roots;
  bool roots_are_amds = true;
  bool simulated_chip = false;
  std::vector<std::string> warnings;
  std::vector<ExplainedCheck> report_checks, policy_checks;

  std::size_t count(ExplainedCheck::Verdict verdict) const;
  bool accepted() const { return count(ExplainedCheck::Verdict::failed) == 0; }
};

Explanation explain(const Evidence& evidence, const ReportJudgement& judgement, const EvidencePlaces& places,
                    const KdsFlags& kds, const verify::Policy& policy, const std::string& policy_path);

/// explanation_text is for people. Of checks that were not reached or not asked for it says how many there are; which
/// ones only where they are few or all are wanted.
enum class Unasked { counted, named };
std::string explanation_text(const Explanation& explanation, Unasked unasked);
nlohmann::ordered_json explanation_json(const Explanation& explanation);

}  // namespace attestbed::tools
