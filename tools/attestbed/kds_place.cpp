// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/kds_place.h"

#include <algorithm>

#include "core/verify/refusal.h"

namespace attestbed::tools {
namespace {

constexpr char kVceks[] = "https://kdsintf.amd.com/vcek/v1/";
constexpr std::uint32_t kFirstVersionWithCpuid = 3;
constexpr std::size_t kTurinChipIdBytes = 8;

std::optional<snp::Product> product_named_by(const snp::RawReport& report) {
  if (report.version < kFirstVersionWithCpuid) return std::nullopt;
  const Result<snp::Product> product = snp::product_of(report.cpuid_family, report.cpuid_model);
  return product ? std::optional(*product) : std::nullopt;
}

}  // namespace

std::string kds_place(const std::optional<snp::RawReport>& report) {
  const bool masked = report && std::ranges::all_of(report->chip_id, [](std::uint8_t octet) { return octet == 0; });
  if (!report || masked) return std::string(kVceks) + "<product>/<chip id>?<TCB>";
  const std::optional<snp::Product> product = product_named_by(*report);
  // Milan and Genoa share an order of the octets, and no Turin firmware makes version 2.
  const snp::Tcb tcb = snp::decode_tcb(product.value_or(snp::Product::milan), report->reported_tcb);
  const bool turin = product == snp::Product::turin;
  const Bytes chip = Bytes(report->chip_id).first(turin ? kTurinChipIdBytes : report->chip_id.size());
  return kVceks + std::string(product ? snp::product_name(*product) : "<Milan or Genoa>") + "/" +
         verify::hex_text(chip) + "?" + (turin ? "fmcSPL=" + std::to_string(tcb.fmc) + "&" : "") +
         "blSPL=" + std::to_string(tcb.boot_loader) + "&teeSPL=" + std::to_string(tcb.tee) +
         "&snpSPL=" + std::to_string(tcb.snp) + "&ucodeSPL=" + std::to_string(tcb.microcode);
}

}  // namespace attestbed::tools
