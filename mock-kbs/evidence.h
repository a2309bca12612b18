// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/snp/report.h"
#include "core/verify/certificate.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/resource_policy.h"

// `primary_evidence` of POST /attest, in the three shapes that there are.
namespace attestbed::kbs {

inline constexpr std::size_t kMaxCertsBufBytes = 64 * 1024;
inline constexpr std::size_t kMaxChainCertificates = 16;
inline constexpr std::size_t kMaxSvnBytes = 64;

/// EvidenceKind is the shape of `primary_evidence`. It says how a report travels and selects nothing else.
///   snp_report  {"snp-report": base64, "certs-buf": base64 or null}, as aproxy and kbs-test have it
///   structure   {"attestation_report": {...}, "cert_chain": null or [...]}, as Trustee has it
///   sample      {"svn", "report_data"}: TEE `sample`, which is no hardware and carries no report
enum class EvidenceKind : std::uint8_t { snp_report, structure, sample };
const char* evidence_name(EvidenceKind kind);  // "snp-report", "structure", "sample"
constexpr Tee tee_of(EvidenceKind kind) {
  return kind == EvidenceKind::sample ? Tee::sample : Tee::snp;
}

/// SampleEvidence is what a guest without hardware says of itself.
///   report_data  48 octets: the SHA-384 of the binding text, unpadded
struct SampleEvidence {
  std::string svn;
  ByteArray<48> report_data{};
};

/// Evidence is primary_evidence taken apart. Nothing in it is believed yet.
///   report  of snp_report and structure: the 1184 octets that the firmware signed
///   certs   of snp_report: the certificate table of `certs-buf`; empty if it was null or absent
///   chain   of structure: VCEK or VLEK and intermediates of `cert_chain`
struct Evidence {
  EvidenceKind kind = EvidenceKind::snp_report;
  ByteArray<snp::kReportBytes> report{};
  std::vector<std::uint8_t> certs;
  std::vector<verify::Certificate> chain;
  SampleEvidence sample;
};

/// decode_evidence reads it; members that it does not know are ignored, as Trustee does: what they might carry is
/// missing from the octets that the signature is judged over.
///   errors  evidence_shape if no shape, or more than one, is there; the JSON codes; bad_base64, bad_length, bad_value,
///           too_large, report_version, product_unknown, certificate_malformed for what is inside
Checked<Evidence> decode_evidence(const Members& primary);

}  // namespace attestbed::kbs
