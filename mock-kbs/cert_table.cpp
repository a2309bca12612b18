// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/cert_table.h"

#include <algorithm>

#include "core/snp/certificate_table.h"

namespace attestbed::kbs {
namespace {

constexpr snp::Guid kEndorsements[] = {snp::kAskGuid, snp::kVcekGuid, snp::kVlekGuid};

}  // namespace

Checked<std::vector<verify::Certificate>> certificates_of_table(Bytes table) {
  const snp::CertificateTable parsed = TRY(checked(snp::CertificateTable::parse(table)));
  std::vector<verify::Certificate> certificates;
  for (const snp::CertificateEntry& entry : parsed.entries()) {
    if (std::ranges::find(kEndorsements, entry.guid) == std::end(kEndorsements)) continue;
    const std::string source = std::string("certs-buf.") + snp::guid_name(entry.guid);
    std::vector<verify::Certificate> read = TRY(verify::Certificate::parse(entry.octets, source));
    std::ranges::move(read, std::back_inserter(certificates));
  }
  return certificates;
}

}  // namespace attestbed::kbs
