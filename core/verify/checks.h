// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/errc.h"

namespace attestbed::verify {

/// VerificationCheck is one check between a report's octets and a VerifiedReport: its stable name (a Step's `check`),
/// and the codes with which it fails.
struct VerificationCheck {
  const char* name;
  std::span<const Errc> codes;
};

/// verification_checks lists them in the order in which they are made: check_form ("form"), select_vek ("selection"),
/// then the Steps of verify_chain and of verify_report, last that of check_revocation, which only a caller with CRLs
/// makes. Each stops at its first failure, so that after n Steps in a row it is the check n that failed.
std::span<const VerificationCheck> verification_checks();

}  // namespace attestbed::verify
