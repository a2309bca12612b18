// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/guest_key.h"
#include "core/snp/report.h"
#include "mock-kbs/refuse.h"

// The KBS protocol's bodies 0.4.0 (Trustee, crate kbs-types), read and written with another JSON library than the
// guest's, so that each side is the other's oracle. Nothing is thrown out of here.
namespace attestbed::kbs {

inline constexpr std::string_view kProtocolVersion = "0.4.0";

/// check_auth_request judges the body of POST /auth: version 0.4.0, tee snp, extra-params present.
///   errors  unsupported_version, tee_unsupported, the JSON codes
Checked<void> check_auth_request(std::string_view body);

/// encode_challenge is the answer to it; `nonce` is standard base64.
std::string encode_challenge(std::string_view nonce);

inline constexpr std::size_t kMaxCertsBufBytes = 64 * 1024;

/// EvidenceKind is the shape of `primary_evidence`. It says how a report travels and selects nothing else.
///   snp_report  {"snp-report": base64, "certs-buf": base64 or null}, as aproxy and kbs-test have it
///   structure   {"attestation_report": {...}, "cert_chain": null or [...]}, as Trustee has it
///   sample      {"svn", "report_data"}: TEE `sample`, which is no hardware and carries no report
enum class EvidenceKind : std::uint8_t { snp_report, structure, sample };

/// AttestRequest is the body of POST /attest, taken apart.
///   nonce   the challenge as the peer echoed it, compared as text
///   key     a point of P-521, checked to be on the curve
///   report  exactly 1184 octets, whatever the evidence's shape
///   certs   the certificate table of `certs-buf`; empty if it was null or absent
struct AttestRequest {
  std::string nonce;
  protocol::GuestPublicKey key;
  EvidenceKind evidence = EvidenceKind::snp_report;
  ByteArray<snp::kReportBytes> report{};
  std::vector<std::uint8_t> certs;
};
/// decode_attest_request reads it.
///   errors  the JSON codes; key_unsupported, bad_base64, bad_length, bad_point for tee-pubkey; evidence_shape,
///           bad_base64, bad_length, too_large for the evidence; bad_value for init-data and additional_evidence, of
///           which only null and "" are served
Checked<AttestRequest> decode_attest_request(std::string_view body);

/// encode_token is the answer to it.
std::string encode_token(std::string_view token);

/// encode_problem is the body of every refusal: {"type":"https://…/errors/<variant>","detail":"…"}.
std::string encode_problem(std::string_view variant, std::string_view detail);

}  // namespace attestbed::kbs
