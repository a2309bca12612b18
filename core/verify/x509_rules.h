// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: the rules of the chain, one function each. A rule names the certificate by its kind.
#include <optional>
#include <string>

#include "core/crypto/openssl/handles.h"
#include "core/verify/certificate.h"

namespace attestbed::verify {

/// chain_product is the P of a subject ARK-P, SEV-P or SEV-VLEK-P; none if P is no known product.
std::optional<snp::Product> chain_product(const Certificate& ca);

/// check_name demands AMD's form: OU, C, L, ST, O and CN, each exactly once, with AMD's values and `common_name`.
///   code  what a refusal is called: vek_name for the VEK's names, chain_constraint for a CA's
enum class Whose { subject, issuer };
Checked<void> check_name(const Certificate& certificate, Whose whose, const std::string& common_name, Errc code);

/// names_match holds if `issuer`'s subject is `certificate`'s issuer.
bool names_match(const Certificate& certificate, const Certificate& issuer);

/// is_rsa_4096 holds for an rsaEncryption key of 4096 bits with exponent 65537: no other key is used to verify.
bool is_rsa_4096(const Certificate& ca);

/// is_amd_pss holds for RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48 in one of the two spellings that AMD writes.
bool is_amd_pss(const X509_ALGOR* algorithm);

/// check_signature_form demands RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48, as AMD writes it. Code:
/// chain_signature.
Checked<void> check_signature_form(const Certificate& certificate);

/// is_signed_by verifies `certificate`'s signature, in AMD's form, under `issuer`'s RSA-4096 key.
bool is_signed_by(const Certificate& certificate, const Certificate& issuer);

/// check_ca demands X.509 v3, RSA-4096, critical CA:TRUE, a path length (if stated) of at least `below`, critical
/// keyUsage with certSign (an ARK: and cRLSign), no critical extension beyond these, and one CRL distribution point
/// that names KDS's list for `product`. Code: chain_constraint.
Checked<void> check_ca(const Certificate& ca, long below, snp::Product product);

/// crl_url is where KDS publishes the list that names revoked intermediates of this kind: "https://kdsintf.amd.com/…".
std::string crl_url(Certificate::Kind ca, snp::Product product);

/// check_vek_key demands X.509 v3 and an EC key on the named curve P-384. Code: chain_constraint.
Checked<void> check_vek_key(const Certificate& vek);

/// check_dates demands notBefore <= at <= notAfter. Codes: chain_not_yet_valid, chain_expired.
Checked<void> check_dates(const Certificate& certificate, Time at);

}  // namespace attestbed::verify
