// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "core/snp/report.h"
#include "sim/der.h"
#include "sim/product_profile.h"

namespace attestbed::sim {

/// The certificates of AMD's hierarchy, octet for octet as AMD writes them (57230; AMD's own ones): names,
/// string types, serials, order and criticality of extensions. Only the keys differ, so a verifier that accepts these
/// accepts them for the reasons for which it would accept real ones.

struct Validity {
  std::chrono::sys_seconds not_before, not_after;
};
/// years_from is the same day and time `years` later: ARK, ASK and ASVK live 25 years, a VCEK 7, a VLEK of AMD's 1.
Validity years_from(std::chrono::sys_seconds not_before, int years);
inline constexpr int kAuthorityYears = 25, kVcekYears = 7, kVlekYears = 1;

using KeyId = ByteArray<20>;  // SHA-1 of the subject's public key (RFC 5280 section 4.2.1.2, method 1)

/// VekLine tells AMD's two lines of endorsement below an ARK apart: ASK and VCEK for a chip, ASVK and VLEK for a cloud
/// provider's fleet. Each has its paths at the KDS and its CRL.
enum class VekLine { vcek, vlek };

/// The parts that get signed. `spki` is the subject's SubjectPublicKeyInfo in DER.
Der tbs_ark(const ProductProfile& profile, Validity validity, Bytes spki, const KeyId& own);
/// tbs_intermediate is the ASK of the VCEK line or the ASVK of the VLEK line.
Der tbs_intermediate(const ProductProfile& profile, VekLine line, Validity validity, Bytes spki, const KeyId& own,
                     const KeyId& ark);
/// tbs_vcek is for a chip: `hardware_id` is its CHIP_ID, 64 octets, on Turin the first 8.
Der tbs_vcek(const ProductProfile& profile, Validity validity, Bytes spki, const snp::Tcb& tcb, Bytes hardware_id);
/// tbs_vlek is for a cloud provider, named by `csp_id` in ASCII.
Der tbs_vlek(const ProductProfile& profile, Validity validity, Bytes spki, const snp::Tcb& tcb,
             std::string_view csp_id);

/// tbs_crl is a revocation list of the ARK, version 2 with the extensions that RFC 5280 section 5.2 demands. What AMD's
/// hold beyond issuer and serials is not public. `revoked` are serials, revoked when the list begins.
Der tbs_crl(const ProductProfile& profile, Validity validity, const KeyId& ark, std::span<const std::uint32_t> revoked);

/// intermediate_serial is the serial number of the line's ASK or ASVK.
std::uint32_t intermediate_serial(const ProductProfile& profile, VekLine line);

/// signature_algorithm is RSASSA-PSS with SHA-384, MGF1 with SHA-384 and 48 octets of salt, hash parameters NULL. The
/// authorities spell the default trailer field out, VCEKs and VLEKs issued since late 2024 leave it to the default.
enum class Trailer { spelled_out, left_out };
Der signature_algorithm(Trailer trailer);

/// certificate joins a signed part, its algorithm and the signature; a CRL has the same shape.
Der certificate(Bytes tbs, Trailer trailer, Bytes signature);

}  // namespace attestbed::sim
