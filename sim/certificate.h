// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "core/snp/report.h"
#include "sim/der.h"
#include "sim/product_profile.h"

namespace attestbed::sim {

/// The certificates of AMD's hierarchy, octet for octet as AMD writes them (57230; facts/snp-firmware 4.1, 4.2): names,
/// string types, serials, order and criticality of extensions. Only the keys differ, so a verifier that accepts these
/// accepts them for the reasons for which it would accept real ones.

struct Validity {
  std::chrono::sys_seconds not_before, not_after;
};
/// years_from is the same day and time `years` later: ARK and ASK live 25 years, a VCEK 7.
Validity years_from(std::chrono::sys_seconds not_before, int years);
inline constexpr int kAuthorityYears = 25, kVcekYears = 7;

using KeyId = ByteArray<20>;  // SHA-1 of the subject's public key (RFC 5280 section 4.2.1.2, method 1)

/// tbs_ark, tbs_ask and tbs_vcek are the parts that get signed. `spki` is the subject's SubjectPublicKeyInfo in DER.
Der tbs_ark(const ProductProfile& profile, Validity validity, Bytes spki, const KeyId& own);
Der tbs_ask(const ProductProfile& profile, Validity validity, Bytes spki, const KeyId& own, const KeyId& ark);
Der tbs_vcek(const ProductProfile& profile, Validity validity, Bytes spki, const snp::Tcb& tcb, Bytes hardware_id);

/// signature_algorithm is RSASSA-PSS with SHA-384, MGF1 with SHA-384 and 48 octets of salt, hash parameters NULL. The
/// ARK and ASK spell the default trailer field out, VCEKs issued since late 2024 leave it to the default.
enum class Trailer { spelled_out, left_out };
Der signature_algorithm(Trailer trailer);

/// certificate joins a signed part, its algorithm and the signature.
Der certificate(Bytes tbs, Trailer trailer, Bytes signature);

}  // namespace attestbed::sim
