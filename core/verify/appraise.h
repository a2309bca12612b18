// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/verify/policy.h"
#include "core/verify/verified_report.h"

namespace attestbed::verify {

enum class Outcome { passed, failed, not_asked };

/// Finding is one check of a policy against a report: its stable name, and what came of it.
///   check            "measurement", "platform smt", …; one of policy_checks()
///   code             what a failure of this check is called
///   expected, found  in words; empty if the policy does not ask
struct Finding {
  const char* check;
  Outcome outcome;
  Errc code;
  const char* field;
  std::string expected, found;

  Refusal refusal() const { return {code, field, expected, found}; }
};

/// appraise_all judges a verified report by every check there is and stops at none: one Finding for each of
/// policy_checks(), in that order. It cannot be handed raw octets by accident.
std::vector<Finding> appraise_all(const VerifiedReport& verified, const Policy& policy);

/// appraise is the first failure of appraise_all.
///   errors  product_refused, signing_key_refused, chip_refused, chip_id_masked, platform_refused, report_too_old,
///           tcb_too_low, firmware_too_old, firmware_provisional, mitigation_missing, debug_enabled, policy_mismatch,
///           vmpl_too_high, guest_svn_too_low, measurement_unknown, host_data_mismatch, report_data_mismatch,
///           identity_mismatch, id_key_untrusted, author_key_untrusted
Checked<void> appraise(const VerifiedReport& verified, const Policy& policy);

/// PolicyCheck is a check's name and the code of its failure.
struct PolicyCheck {
  const char* name;
  Errc code;
};
std::span<const PolicyCheck> policy_checks();

}  // namespace attestbed::verify
