// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/describe_certificate_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/snp/certificate_table.h"
#include "core/verify/crl.h"
#include "tools/attestbed/describe.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using snp::CertificateEntry;
using snp::CertificateTable;
using verify::Checked;
using verify::Refusal;

using Descriptions = std::vector<ordered_json>;

constexpr snp::Guid kCertificateGuids[] = {snp::kArkGuid, snp::kAskGuid, snp::kVcekGuid, snp::kVlekGuid};

bool is_certificate(const snp::Guid& guid) {
  return std::ranges::find(kCertificateGuids, guid) != std::end(kCertificateGuids);
}

/// guid_text is a GUID as people write it: 8-4-4-4-12 digits.
std::string guid_text(const snp::Guid& guid) {
  std::string text = verify::hex_text(guid);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

/// describe_content is what an entry's octets say, if they are of a kind that says something.
Checked<Descriptions> describe_content(const CertificateEntry& entry, const std::string& source) {
  Descriptions all;
  if (is_certificate(entry.guid)) {
    const std::vector<verify::Certificate> certificates = TRY(verify::Certificate::parse(entry.octets, source));
    for (const verify::Certificate& certificate : certificates) all.push_back(describe(certificate));
  }
  if (entry.guid == snp::kCrlGuid) {
    const verify::Crl crl = TRY(verify::Crl::parse(entry.octets, source));
    all.push_back(describe(crl));
  }
  return all;
}

Refusal refusal_of(const Error& error) {
  const std::string expected = error.expected == 0 ? "a certificate table" : std::to_string(error.expected);
  switch (error.code) {
    case Errc::truncated:
      return {error.code, error.where, "a row of zeros behind the last entry", "the end of the octets"};
    case Errc::bad_length:
      return {error.code, error.where, "octets behind the rows and inside the table", std::to_string(error.found)};
    case Errc::too_large:
      return {error.code, error.where, "at most " + expected, "more"};
    default:
      return {error.code, error.where, "a GUID and octets of its own for each entry",
              "none in row " + std::to_string(error.found)};
  }
}

}  // namespace

bool looks_like_certificate_table(Bytes octets) {
  snp::Guid first{};
  if (octets.size() < first.size()) return false;
  std::ranges::copy(octets.first(first.size()), first.begin());
  return std::string_view(snp::guid_name(first)) != snp::guid_name(snp::Guid{});
}

Checked<Descriptions> describe_certificate_table(Bytes octets, const std::string& source) {
  const Result<CertificateTable> table = CertificateTable::parse(octets);
  if (!table) return refusal_of(table.error());
  Descriptions all(1);
  ordered_json rows = ordered_json::array();
  for (const CertificateEntry& entry : table->entries()) {
    const char* const name = snp::guid_name(entry.guid);
    ordered_json row{{"guid", guid_text(entry.guid)},
                     {"kind", name},
                     {"offset", entry.octets.data() - octets.data()},
                     {"length", entry.octets.size()}};
    const Checked<Descriptions> content = describe_content(entry, source + ", its " + name);
    if (!content) row["error"] = content.error().text();
    if (content) all.insert(all.end(), content->begin(), content->end());
    rows.push_back(std::move(row));
  }
  all.front() = {{"kind", "certificate table"},
                 {"octets", table->octets().size()},
                 {"padding", octets.size() - table->octets().size()},
                 {"entries", std::move(rows)}};
  return all;
}

}  // namespace attestbed::tools
