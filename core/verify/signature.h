// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only.
#include "core/snp/report.h"
#include "core/verify/certificate.h"

namespace attestbed::verify {

/// check_signature verifies the report's ECDSA P-384 signature over its first 0x2a0 octets under the key of `vek`.
///   errors  signature_invalid
///   spec    56860, ATTESTATION_REPORT SIGNATURE: R and S little-endian in 72 octets, the upper 24 zero
Checked<void> check_signature(const snp::RawReport& report, const Certificate& vek);

}  // namespace attestbed::verify
