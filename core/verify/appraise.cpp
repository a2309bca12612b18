// SPDX-License-Identifier: Apache-2.0
#include "core/verify/appraise.h"

#include <algorithm>

#include "core/verify/report_rules.h"

namespace attestbed::verify {
namespace {

Checked<void> check_guest_policy(std::uint64_t bits, const Policy& policy) {
  if ((bits & snp::kPolicyDebug) != 0 && !policy.allow_debug) {
    return Refusal{Errc::debug_enabled, "POLICY.DEBUG", "0", "1"};
  }
  if ((bits & snp::kPolicyMigrateMa) != 0 && !policy.allow_migration_agent) {
    return Refusal{Errc::policy_mismatch, "POLICY.MIGRATE_MA", "0", "1"};
  }
  return {};
}

Checked<void> check_minimum_tcb(const VerifiedReport& verified, const snp::Tcb& minimum) {
  const snp::Tcb reported = verified.vek().tcb();  // equal to REPORTED_TCB: verify_report compared them
  for (const auto& [name, level] : tcb_components(verified.vek().product())) {
    if (reported.*level >= minimum.*level) continue;
    return Refusal{Errc::tcb_too_low, std::string("REPORTED_TCB.") + name, "at least " + std::to_string(minimum.*level),
                   std::to_string(reported.*level)};
  }
  return {};
}

}  // namespace

Checked<void> appraise(const VerifiedReport& verified, const Policy& policy) {
  const snp::RawReport& report = verified.report();
  const snp::Product product = verified.vek().product();
  if (!policy.products.empty() && std::ranges::find(policy.products, product) == policy.products.end()) {
    std::string allowed;
    for (const snp::Product one : policy.products)
      allowed += (allowed.empty() ? "" : ", ") + std::string(product_name(one));
    return Refusal{Errc::product_refused, "product", allowed, snp::product_name(product)};
  }
  if (policy.max_vmpl && report.vmpl > *policy.max_vmpl) {
    return Refusal{Errc::vmpl_too_high, "VMPL", "at most " + std::to_string(*policy.max_vmpl),
                   std::to_string(report.vmpl)};
  }
  TRY(check_guest_policy(report.policy, policy));
  if (policy.minimum_tcb) TRY(check_minimum_tcb(verified, *policy.minimum_tcb));
  if (!policy.measurements.empty() &&
      std::ranges::find(policy.measurements, report.measurement) == policy.measurements.end()) {
    return Refusal{Errc::measurement_unknown, "MEASUREMENT",
                   policy.measurements.size() == 1
                       ? hex_text(policy.measurements.front())
                       : "one of " + std::to_string(policy.measurements.size()) + " reference values",
                   hex_text(report.measurement)};
  }
  if (policy.host_data && report.host_data != *policy.host_data) {
    return Refusal{Errc::host_data_mismatch, "HOST_DATA", hex_text(*policy.host_data), hex_text(report.host_data)};
  }
  if (policy.report_data && report.report_data != *policy.report_data) {
    return Refusal{Errc::report_data_mismatch, "REPORT_DATA", hex_text(*policy.report_data),
                   hex_text(report.report_data)};
  }
  return {};
}

}  // namespace attestbed::verify
