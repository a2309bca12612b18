// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/certificate_table.h"

#include <algorithm>

namespace attestbed::tools {
namespace {

using snp::CertificateTable;
using verify::Certificate;
using verify::Checked;
using verify::Refusal;

constexpr snp::Guid kCertificateGuids[] = {snp::kArkGuid, snp::kAskGuid, snp::kVcekGuid, snp::kVlekGuid};

Refusal refusal_of(const Error& error, const std::string& source) {
  const std::string field = verify::printable(source, 200) + ": " + error.where;
  const std::string expected = error.expected == 0 ? "a certificate table" : std::to_string(error.expected);
  switch (error.code) {
    case Errc::truncated:
      return {error.code, field, "a row of zeros behind the last entry", "the end of the octets"};
    case Errc::bad_length:
      return {error.code, field, "octets behind the rows and inside the table", std::to_string(error.found)};
    case Errc::too_large:
      return {error.code, field, "at most " + expected, "more"};
    default:
      return {error.code, field, "a GUID and octets of its own for each entry",
              "none in row " + std::to_string(error.found)};
  }
}

bool is_certificate(const snp::Guid& guid) {
  return std::ranges::find(kCertificateGuids, guid) != std::end(kCertificateGuids);
}

}  // namespace

bool looks_like_certificate_table(Bytes octets) {
  snp::Guid first{};
  if (octets.size() < first.size()) return false;
  std::ranges::copy(octets.first(first.size()), first.begin());
  return std::string_view(snp::guid_name(first)) != snp::guid_name(snp::Guid{});
}

Checked<CertificateTable> parse_certificate_table(Bytes octets, const std::string& source) {
  const Result<CertificateTable> table = CertificateTable::parse(octets);
  if (!table) return refusal_of(table.error(), source);
  return *table;
}

Checked<std::vector<Certificate>> certificates_of(const snp::CertificateEntry& entry, const std::string& source) {
  if (!is_certificate(entry.guid)) return std::vector<Certificate>();
  return Certificate::parse(entry.octets, source + ", its " + snp::guid_name(entry.guid));
}

}  // namespace attestbed::tools
