// SPDX-License-Identifier: Apache-2.0
#include "core/verify/report_rules.h"

#include <algorithm>

namespace attestbed::verify {
namespace {

using Kind = Certificate::Kind;

constexpr std::uint32_t kFirstVersionWithCpuid = 3;

}  // namespace

std::span<const TcbComponent> tcb_components(snp::Product product) {
  static constexpr TcbComponent kComponents[] = {{"fmc", &snp::Tcb::fmc},
                                                 {"boot_loader", &snp::Tcb::boot_loader},
                                                 {"tee", &snp::Tcb::tee},
                                                 {"snp", &snp::Tcb::snp},
                                                 {"microcode", &snp::Tcb::microcode}};
  const std::span<const TcbComponent> all(kComponents);
  return product == snp::Product::turin ? all : all.subspan(1);
}

Checked<Kind> signing_kind(const snp::RawReport& report) {
  const std::uint32_t key = snp::signing_key_bits(report.key_flags);
  if (key == static_cast<std::uint32_t>(snp::SigningKey::vcek)) return Kind::vcek;
  if (key == static_cast<std::uint32_t>(snp::SigningKey::vlek)) return Kind::vlek;
  return Refusal{Errc::report_unsigned, "SIGNING_KEY", "0 (VCEK) or 1 (VLEK)",
                 std::to_string(key) + (key == static_cast<std::uint32_t>(snp::SigningKey::none) ? " (none)" : "")};
}

Checked<void> check_product(const snp::RawReport& report, const VekExtensions& vek) {
  if (report.version < kFirstVersionWithCpuid) return {};
  const std::uint8_t cpuid[] = {report.cpuid_family, report.cpuid_model};
  const Result<snp::Product> product = snp::product_of(report.cpuid_family, report.cpuid_model);
  if (!product) {
    return Refusal{Errc::product_unknown, "CPUID_FAM_ID, CPUID_MOD_ID", "those of Milan, Genoa or Turin",
                   "0x" + hex_text(cpuid)};
  }
  if (*product == vek.product) return {};
  return Refusal{Errc::product_mismatch, "CPUID_FAM_ID, CPUID_MOD_ID",
                 std::string(snp::product_name(vek.product)) + " as in the VEK", snp::product_name(*product)};
}

Checked<void> check_reported_tcb(const snp::RawReport& report, const VekExtensions& vek) {
  const snp::Tcb reported = snp::decode_tcb(vek.product, report.reported_tcb);
  for (const auto& [name, level] : tcb_components(vek.product)) {
    if (reported.*level == vek.tcb.*level) continue;
    return Refusal{Errc::tcb_mismatch, std::string("REPORTED_TCB.") + name,
                   std::to_string(vek.tcb.*level) + " as in the VEK", std::to_string(reported.*level)};
  }
  if (report.reported_tcb == snp::encode_tcb(vek.product, vek.tcb)) return {};
  return Refusal{Errc::tcb_mismatch, "REPORTED_TCB reserved octets", hex_text(snp::encode_tcb(vek.product, vek.tcb)),
                 hex_text(report.reported_tcb)};
}

bool chip_id_is_masked(const snp::RawReport& report) {
  return std::ranges::all_of(report.chip_id, [](std::uint8_t octet) { return octet == 0; });
}

Checked<void> check_chip_id(const snp::RawReport& report, const VekExtensions& vek) {
  if (vek.hardware_id.empty() || chip_id_is_masked(report)) return {};
  snp::ChipId expected{};
  std::ranges::copy(vek.hardware_id, expected.begin());
  if (report.chip_id == expected) return {};
  return Refusal{Errc::chip_id_mismatch, "CHIP_ID", hex_text(expected) + " as in the VCEK", hex_text(report.chip_id)};
}

}  // namespace attestbed::verify
