// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/evidence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mock-kbs/base64_text.h"
#include "mock-kbs/report_structure.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

// Base64 of exactly N octets. The text may decode to one or two less with more padding, so both lengths are judged.
template <std::size_t N>
Checked<void> octets_of_text(const Members& from, const char* name, ByteArray<N>& into) {
  const std::string_view text = TRY(from.text(name));
  constexpr std::size_t kChars = base64_encoded_size(Base64::standard, N);
  if (text.size() != kChars) {
    return Refusal{Errc::bad_length, from.path_of(name),
                   std::to_string(N) + " octets, " + std::to_string(kChars) + " characters",
                   std::to_string(text.size()) + " characters"};
  }
  const std::vector<std::uint8_t> octets = TRY(octets_of_base64(Base64::standard, text, from.path_of(name)));
  if (octets.size() != N) {
    return Refusal{Errc::bad_length, from.path_of(name), std::to_string(N) + " octets",
                   std::to_string(octets.size()) + " octets"};
  }
  std::ranges::copy(octets, into.begin());
  return {};
}

Checked<Evidence> decode_snp_report(const Members& primary) {
  Evidence evidence{.kind = EvidenceKind::snp_report, .certs = {}, .chain = {}, .sample = {}};
  TRY(octets_of_text(primary, "snp-report", evidence.report));
  const json* certs = primary.find("certs-buf");
  if (certs == nullptr || certs->is_null()) return evidence;
  const std::string_view text = TRY(primary.text("certs-buf"));
  if (text.size() > base64_encoded_size(Base64::standard, kMaxCertsBufBytes)) {
    return Refusal{Errc::too_large, primary.path_of("certs-buf"), std::to_string(kMaxCertsBufBytes) + " octets",
                   std::to_string(text.size()) + " characters"};
  }
  evidence.certs = TRY(octets_of_base64(Base64::standard, text, primary.path_of("certs-buf")));
  return evidence;
}

Checked<Evidence> decode_structure(const Members& primary) {
  Evidence evidence{.kind = EvidenceKind::structure, .certs = {}, .chain = {}, .sample = {}};
  const Members report = TRY(primary.object("attestation_report"));
  evidence.report = TRY(report_of_structure(report));
  const json* chain = primary.find("cert_chain");
  if (chain == nullptr || chain->is_null()) return evidence;
  evidence.chain = TRY(certificates_of_chain(*chain, primary.path_of("cert_chain")));
  return evidence;
}

Checked<Evidence> decode_sample(const Members& primary) {
  Evidence evidence{.kind = EvidenceKind::sample, .certs = {}, .chain = {}, .sample = {}};
  const std::string_view svn = TRY(primary.text("svn"));
  const bool sound = !svn.empty() && svn.size() <= kMaxSvnBytes &&
                     std::ranges::all_of(svn, [](char c) { return c >= ' ' && c <= '~'; });
  if (!sound) {
    return Refusal{Errc::bad_value, primary.path_of("svn"), "1 to 64 printable ASCII characters",
                   svn.empty() ? "an empty string" : verify::printable(svn, 64)};
  }
  evidence.sample.svn = svn;
  TRY(octets_of_text(primary, "report_data", evidence.sample.report_data));
  return evidence;
}

}  // namespace

const char* evidence_name(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::snp_report:
      return "snp-report";
    case EvidenceKind::structure:
      return "structure";
    case EvidenceKind::sample:
      return "sample";
  }
  return "unknown";
}

Checked<Evidence> decode_evidence(const Members& primary) {
  struct Shape {
    const char* member;
    Checked<Evidence> (*decode)(const Members&);
  };
  constexpr Shape kShapes[] = {
      {"snp-report", decode_snp_report}, {"attestation_report", decode_structure}, {"svn", decode_sample}};
  const Shape* shape = nullptr;
  std::string found;
  for (const Shape& each : kShapes) {
    if (primary.find(each.member) == nullptr) continue;
    shape = &each;
    found += (found.empty() ? "" : " and ") + std::string(each.member);
  }
  if (shape != nullptr && found == shape->member) return shape->decode(primary);
  return Refusal{Errc::evidence_shape, primary.path(),
                 "one of {\"snp-report\", \"certs-buf\"}, {\"attestation_report\", \"cert_chain\"}, {\"svn\", "
                 "\"report_data\"}",
                 found.empty() ? "none of their members" : found};
}

}  // namespace attestbed::kbs
