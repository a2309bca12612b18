// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: how a report and what a VEK certificate says must fit, for selection and for verification.
#include "core/snp/report.h"
#include "core/verify/certificate.h"

namespace attestbed::verify {

/// signing_kind is the kind of VEK that SIGNING_KEY names. Errors: report_unsigned.
Checked<Certificate::Kind> signing_kind(const snp::RawReport& report);

/// check_product compares the report's CPUID family and model (version 3 and later) with the VEK's product.
///   errors  product_unknown, product_mismatch
Checked<void> check_product(const snp::RawReport& report, const VekExtensions& vek);

/// check_reported_tcb compares REPORTED_TCB, in the product's octet order, with the VEK's. Errors: tcb_mismatch.
Checked<void> check_reported_tcb(const snp::RawReport& report, const VekExtensions& vek);

bool chip_id_is_masked(const snp::RawReport& report);
/// check_chip_id compares CHIP_ID with a VCEK's hwID; a masked (all-zero) chip id and a VLEK have nothing to compare.
/// Errors: chip_id_mismatch.
Checked<void> check_chip_id(const snp::RawReport& report, const VekExtensions& vek);

/// tcb_components lists a Tcb by name, as far as `product` has them.
struct TcbComponent {
  const char* name;
  std::uint8_t snp::Tcb::*level;
};
std::span<const TcbComponent> tcb_components(snp::Product product);

}  // namespace attestbed::verify
