// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/describe_certificate_table.h"

#include <nlohmann/json.hpp>

#include "core/verify/crl.h"
#include "tools/attestbed/certificate_table.h"
#include "tools/attestbed/describe.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using snp::CertificateEntry;
using snp::CertificateTable;
using verify::Checked;

using Descriptions = std::vector<ordered_json>;

/// guid_text is a GUID as people write it: 8-4-4-4-12 digits.
std::string guid_text(const snp::Guid& guid) {
  std::string text = verify::hex_text(guid);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

/// describe_content is what an entry's octets say, if they are of a kind that says something.
Checked<Descriptions> describe_content(const CertificateEntry& entry, const std::string& source) {
  Descriptions all;
  const std::vector<verify::Certificate> certificates = TRY(certificates_of(entry, source));
  for (const verify::Certificate& certificate : certificates) all.push_back(describe(certificate));
  if (entry.guid == snp::kCrlGuid) {
    const verify::Crl crl = TRY(verify::Crl::parse(entry.octets, source + ", its CRL"));
    all.push_back(describe(crl));
  }
  return all;
}

}  // namespace

Checked<Descriptions> describe_certificate_table(Bytes octets, const std::string& source) {
  const CertificateTable table = TRY(parse_certificate_table(octets, source));
  Descriptions all(1);
  ordered_json rows = ordered_json::array();
  for (const CertificateEntry& entry : table.entries()) {
    const char* const name = snp::guid_name(entry.guid);
    ordered_json row{{"guid", guid_text(entry.guid)},
                     {"kind", name},
                     {"offset", entry.octets.data() - octets.data()},
                     {"length", entry.octets.size()}};
    const Checked<Descriptions> content = describe_content(entry, source);
    if (!content) row["error"] = content.error().text();
    if (content) all.insert(all.end(), content->begin(), content->end());
    rows.push_back(std::move(row));
  }
  all.front() = {{"kind", "certificate table"},
                 {"octets", table.octets().size()},
                 {"padding", octets.size() - table.octets().size()},
                 {"entries", std::move(rows)}};
  return all;
}

}  // namespace attestbed::tools
