// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/verify/appraise.h"
#include "mock-kbs/reference_values.h"
#include "mock-kbs/resource_policy.h"

namespace attestbed::kbs {

/// AppraisalMode says what becomes of a report whose signature, measurement and binding hold but that its entry does
/// not want.
///   strict   it is refused at /attest; what the entry does not demand makes no claim
///   trustee  as Trustee's default policy: a token with low claims is issued, a TCB without reference values is
///            contraindicated, and the resource policy decides
enum class AppraisalMode : std::uint8_t { strict, trustee };

/// Appraisal is the part of a trustworthiness vector that the broker fills (draft-ietf-rats-ar4si, section 2.3): 0 no
/// claim, 2..31 affirming, 32..95 warning, 96..127 contraindicated. Trustee's default policy has the same values.
struct Appraisal {
  int configuration = 0;
  int executables = 0;
  int hardware = 0;

  /// status is the worst tier of the three.
  TrustTier status() const;
  friend bool operator==(const Appraisal&, const Appraisal&) = default;
};

/// trust_vector is the whole vector as EAR has it, other claims 0.
nlohmann::ordered_json trust_vector(const Appraisal& appraisal);

/// appraise judges a report against the entry that its measurement found.
///   errors  vmpl_too_high and host_data_mismatch in both modes; strict also debug_enabled, policy_mismatch,
///           tcb_too_low and whatever else the entry demands
Checked<Appraisal> appraise(const verify::VerifiedReport& verified, const ReferenceEntry& entry, AppraisalMode mode);

/// kSampleAppraisal is what Trustee's default policy says of TEE `sample` without reference values.
inline constexpr Appraisal kSampleAppraisal{.configuration = 2, .executables = 33, .hardware = 97};

}  // namespace attestbed::kbs
