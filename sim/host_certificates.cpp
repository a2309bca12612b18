// SPDX-License-Identifier: Apache-2.0
#include "sim/host_certificates.h"

#include "core/snp/certificate_table.h"

namespace attestbed::sim {

Result<std::vector<std::uint8_t>> host_certificates(const Machine& machine) {
  const CertificateAuthority& authority = *machine.authority;
  const bool vlek = machine.vlek_loaded;
  const snp::CertificateEntry entries[] = {
      {vlek ? snp::kVlekGuid : snp::kVcekGuid, vlek ? authority.vlek() : authority.vcek()},
      {snp::kAskGuid, vlek ? authority.asvk() : authority.ask()},
      {snp::kArkGuid, authority.ark()}};
  std::size_t size = (std::size(entries) + 1) * sizeof(snp::RawCertificateEntry);
  for (const snp::CertificateEntry& entry : entries) size += entry.octets.size();
  std::vector<std::uint8_t> table(size);
  TRY(snp::encode_certificate_table(entries, table));
  return table;
}

}  // namespace attestbed::sim
