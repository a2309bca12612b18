// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "mock-kbs/token.h"

// The claims of a token: an Entity Attestation Result (draft-ietf-rats-ear) with the members that Trustee's has.
namespace attestbed::kbs {

/// ear_payload is the JWT claims set. Its `annotated-evidence` carries what a resource is later given by: the kind of
/// evidence, measurement, runtime data; `attestbed.judged-by`, a claim of our own, is ReferenceEntry::judged_by.
/// Errors: the crypto codes.
Checked<nlohmann::ordered_json> ear_payload(const Claims& claims, verify::Time issued, std::chrono::seconds lifetime);

/// grant_of reads it back. Errors: token_invalid, the JSON codes.
Checked<Grant> grant_of(const nlohmann::json& payload);

}  // namespace attestbed::kbs
