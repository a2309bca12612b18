// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: what a report says in several places has to fit.
#include "core/snp/report.h"
#include "core/verify/refusal.h"

namespace attestbed::verify {

/// check_consistency refuses what no firmware says together, however well it is signed (56860 ATTESTATION_REPORT,
/// SNP_LAUNCH_START, SNP_LAUNCH_FINISH):
///   report_contradiction  AUTHOR_KEY_EN beside AUTHOR_KEY_DIGEST and ID_KEY_DIGEST; a VCEK's report under
///   MASK_CHIP_KEY launch_policy_broken  SMT, RAPL, ciphertext hiding or a firmware version with which POLICY lets no
///   guest be launched
Checked<void> check_consistency(const snp::RawReport& report);

}  // namespace attestbed::verify
