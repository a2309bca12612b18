// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "core/verify/verified_report.h"

namespace attestbed::verify {

/// Policy is what a relying party demands of a verified report. An absent field is not judged; debug and migration
/// agent are refused unless allowed by name.
struct Policy {
  std::optional<std::uint32_t> max_vmpl;
  bool allow_debug = false;
  bool allow_migration_agent = false;
  std::vector<snp::Measurement> measurements;  // empty = not judged
  std::optional<snp::ReportData> report_data;
  std::optional<ByteArray<32>> host_data;
  std::optional<snp::Tcb> minimum_tcb;  // of REPORTED_TCB, each component
  std::vector<snp::Product> products;   // empty = any
};

/// appraise judges a verified report; the first failed check is returned. It cannot be handed raw octets by accident.
///   errors  product_refused, vmpl_too_high, debug_enabled, policy_mismatch, tcb_too_low, measurement_unknown,
///           host_data_mismatch, report_data_mismatch
Checked<void> appraise(const VerifiedReport& verified, const Policy& policy);

}  // namespace attestbed::verify
