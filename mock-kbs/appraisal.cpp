// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/appraisal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace attestbed::kbs {
namespace {

constexpr int kApprovedExecutables = 3;
constexpr int kGenuineHardware = 2, kUnrecognizedHardware = 97;
constexpr int kNoKnownVulnerabilities = 3, kUnavailableConfiguration = 36;

TrustTier tier_of(int claim) {
  if (claim < 2) return TrustTier::none;
  if (claim < 32) return TrustTier::affirming;
  return claim < 96 ? TrustTier::warning : TrustTier::contraindicated;
}

bool sealed_off(const verify::VerifiedReport& verified) {
  return (verified.report().policy & (snp::kPolicyDebug | snp::kPolicyMigrateMa)) == 0;
}

// A policy that judges nothing yet.
verify::Policy lenient() {
  verify::Policy policy;
  policy.allow_debug = policy.allow_migration_agent = true;
  return policy;
}

}  // namespace

TrustTier Appraisal::status() const {
  return std::max({tier_of(configuration), tier_of(executables), tier_of(hardware)});
}

nlohmann::ordered_json trust_vector(const Appraisal& appraisal) {
  return {{"instance-identity", 0},
          {"configuration", appraisal.configuration},
          {"executables", appraisal.executables},
          {"file-system", 0},
          {"hardware", appraisal.hardware},
          {"runtime-opaque", 0},
          {"storage-opaque", 0},
          {"sourced-data", 0}};
}

Checked<Appraisal> appraise(const verify::VerifiedReport& verified, const ReferenceEntry& entry, AppraisalMode mode) {
  verify::Policy always = lenient();
  always.max_vmpl = 0;
  always.host_data = entry.host_data;
  TRY(verify::appraise(verified, always));
  if (mode == AppraisalMode::strict) TRY(verify::appraise(verified, entry.demands()));

  // The measurement found the entry, so it is a reference value.
  Appraisal appraisal{.executables = kApprovedExecutables};
  appraisal.configuration = sealed_off(verified) ? kNoKnownVulnerabilities : kUnavailableConfiguration;
  verify::Policy tcb = lenient();
  tcb.minimum_tcb = entry.minimum_tcb;
  const bool compared = tcb.minimum_tcb.has_value();
  if (compared && verify::appraise(verified, tcb)) {
    appraisal.hardware = kGenuineHardware;
  } else if (compared || mode == AppraisalMode::trustee) {
    appraisal.hardware = kUnrecognizedHardware;
  }
  return appraisal;
}

}  // namespace attestbed::kbs
