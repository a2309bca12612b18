// SPDX-License-Identifier: Apache-2.0
#include "proxy/snp_evidence.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "core/posix/base64_text.h"
#include "core/snp/certificate_table.h"
#include "core/snp/report.h"

namespace attestbed::proxy::kbs {
namespace {

using nlohmann::ordered_json;

// Rust's serde writes an array of octets as an array of numbers.
ordered_json numbers(Bytes octets) {
  return ordered_json(std::vector<std::uint8_t>(octets.begin(), octets.end()));
}

// The octets of `report` that are signed and have no member in the structure. TCBs have more of them: tcb_fits.
Status nothing_is_lost(const snp::RawReport& report) {
  struct Range {
    std::size_t from, to;
    const char* where;
  };
  static constexpr Range kWithoutMember[] = {{0x04c, 0x050, "report 0x04c..0x04f"},
                                             {0x18b, 0x1a0, "report 0x18b..0x19f"},
                                             {0x1eb, 0x1ec, "report 0x1eb"},
                                             {0x1ef, 0x1f0, "report 0x1ef"},
                                             {0x208, 0x2a0, "report 0x208..0x29f"}};
  static constexpr Range kCpuid = {0x188, 0x18b, "report 0x188..0x18a"};              // version 3 and later
  static constexpr Range kMitigationVectors = {0x1f8, 0x208, "report 0x1f8..0x207"};  // version 5
  const Bytes octets = snp::octets_of(report);
  const auto check = [octets](const Range& range) -> Status {
    for (const std::uint8_t octet : octets.subspan(range.from, range.to - range.from)) {
      if (octet != 0) return Error{Errc::report_reserved, range.where, octet, 0};
    }
    return ok();
  };
  for (const Range& range : kWithoutMember) TRY(check(range));
  if (report.version < 3) TRY(check(kCpuid));
  return report.version < 5 ? check(kMitigationVectors) : ok();
}

Result<ordered_json> tcb(snp::Product product, const snp::TcbVersion& octets, const char* where) {
  const snp::Tcb parts = snp::decode_tcb(product, octets);
  if (snp::encode_tcb(product, parts) != octets) return Error{Errc::report_reserved, where};
  ordered_json fmc;  // null where the product has none
  if (product == snp::Product::turin) fmc = parts.fmc;
  return ordered_json{{"fmc", fmc},
                      {"bootloader", parts.boot_loader},
                      {"tee", parts.tee},
                      {"snp", parts.snp},
                      {"microcode", parts.microcode}};
}

// Reports of version 2 name no product, and verifiers read their TCBs in the order of the first two.
Result<snp::Product> product_of(const snp::RawReport& report) {
  if (report.version < 3) return snp::Product::milan;
  return snp::product_of(report.cpuid_family, report.cpuid_model);
}

ordered_json cpuid(const snp::RawReport& report, std::uint8_t octet) {
  return report.version < 3 ? ordered_json() : ordered_json(octet);
}

ordered_json firmware(const snp::FirmwareVersion& version) {
  return {{"major", version.major}, {"minor", version.minor}, {"build", version.build}};
}

ordered_json mitigation(const snp::RawReport& report, const le64& vector) {
  return report.version < 5 ? ordered_json() : ordered_json(std::uint64_t{vector});
}

Result<ordered_json> structure(const snp::RawReport& report) {
  const std::uint32_t version = report.version;
  // A structure of another version cannot be told to hold everything: where 4 has its vectors was never published.
  if (version != 2 && version != 3 && version != 5) return Error{Errc::report_version, "report VERSION", version, 3};
  TRY(nothing_is_lost(report));
  const snp::Product product = TRY(product_of(report));
  const ordered_json current_tcb = TRY(tcb(product, report.current_tcb, "report CURRENT_TCB"));
  const ordered_json reported_tcb = TRY(tcb(product, report.reported_tcb, "report REPORTED_TCB"));
  const ordered_json committed_tcb = TRY(tcb(product, report.committed_tcb, "report COMMITTED_TCB"));
  const ordered_json launch_tcb = TRY(tcb(product, report.launch_tcb, "report LAUNCH_TCB"));
  return ordered_json{{"version", version},
                      {"guest_svn", std::uint32_t{report.guest_svn}},
                      {"policy", std::uint64_t{report.policy}},
                      {"family_id", numbers(report.family_id)},
                      {"image_id", numbers(report.image_id)},
                      {"vmpl", std::uint32_t{report.vmpl}},
                      {"sig_algo", std::uint32_t{report.signature_algo}},
                      {"current_tcb", current_tcb},
                      {"plat_info", std::uint64_t{report.platform_info}},
                      {"key_info", std::uint32_t{report.key_flags}},
                      {"report_data", numbers(report.report_data)},
                      {"measurement", numbers(report.measurement)},
                      {"host_data", numbers(report.host_data)},
                      {"id_key_digest", numbers(report.id_key_digest)},
                      {"author_key_digest", numbers(report.author_key_digest)},
                      {"report_id", numbers(report.report_id)},
                      {"report_id_ma", numbers(report.report_id_ma)},
                      {"reported_tcb", reported_tcb},
                      {"cpuid_fam_id", cpuid(report, report.cpuid_family)},
                      {"cpuid_mod_id", cpuid(report, report.cpuid_model)},
                      {"cpuid_step", cpuid(report, report.cpuid_step)},
                      {"chip_id", numbers(report.chip_id)},
                      {"committed_tcb", committed_tcb},
                      {"current", firmware(report.current)},
                      {"committed", firmware(report.committed)},
                      {"launch_tcb", launch_tcb},
                      {"launch_mit_vector", mitigation(report, report.launch_mit_vector)},
                      {"current_mit_vector", mitigation(report, report.current_mit_vector)},
                      {"signature", {{"r", numbers(report.signature.r)}, {"s", numbers(report.signature.s)}}}};
}

ordered_json cert_chain(Bytes certs) {
  static constexpr snp::Guid kOfAChain[] = {snp::kArkGuid, snp::kAskGuid, snp::kVcekGuid, snp::kVlekGuid};
  ordered_json chain;
  if (certs.empty()) return chain;
  const Result<snp::CertificateTable> table = snp::CertificateTable::parse(certs);
  if (!table) return chain;
  for (const snp::CertificateEntry& entry : table->entries()) {
    if (std::ranges::find(kOfAChain, entry.guid) == std::end(kOfAChain)) continue;
    chain.push_back({{"cert_type", snp::guid_name(entry.guid)}, {"data", numbers(entry.octets)}});
  }
  return chain;
}

}  // namespace

ordered_json raw_evidence(Bytes report, Bytes certs) {
  ordered_json table;  // null: there is none
  if (!certs.empty()) table = posix::base64_text(Base64::standard, certs);
  return {{"certs-buf", table}, {"snp-report", posix::base64_text(Base64::standard, report)}};
}

Result<ordered_json> structured_evidence(Bytes report, Bytes certs) {
  if (report.size() != snp::kReportBytes) return Error{Errc::bad_length, "report", report.size(), snp::kReportBytes};
  snp::RawReport raw;
  std::memcpy(&raw, report.data(), sizeof raw);
  const ordered_json members = TRY(structure(raw));
  return ordered_json{{"attestation_report", members}, {"cert_chain", cert_chain(certs)}};
}

}  // namespace attestbed::proxy::kbs
