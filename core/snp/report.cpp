// SPDX-License-Identifier: Apache-2.0
#include "core/snp/report.h"

#include <cstring>

#include "core/base/reader.h"

namespace attestbed::snp {
namespace {

constexpr std::uint32_t kMaxVmpl = 3;

Status demand_zero(Bytes octets, const char* where) {
  Reader reader(octets);
  return reader.zeros(octets.size(), where);
}

// What is reserved depends on the version: 3 took CPUID octets out of a reserved field, 5 the mitigation vectors.
Status check_reserved(const RawReport& report) {
  const Bytes octets = octets_of(report);
  const auto zero = [&](std::size_t from, std::size_t to, const char* where) {
    const Status status = demand_zero(octets.subspan(from, to - from), where);
    if (!status) return Status(Error{Errc::report_reserved, where, status.error().found, 0});
    return status;
  };
  const std::uint32_t version = report.version;
  TRY(zero(0x04c, 0x050, "report 0x04c..0x04f"));
  if (version < 3) TRY(zero(0x188, 0x1a0, "report 0x188..0x19f"));
  TRY(zero(0x18b, 0x1a0, "report 0x18b..0x19f"));
  TRY(zero(0x1eb, 0x1ec, "report 0x1eb"));
  TRY(zero(0x1ef, 0x1f0, "report 0x1ef"));
  if (version < 5) TRY(zero(0x1f8, 0x208, "report 0x1f8..0x207"));
  TRY(zero(0x208, 0x2a0, "report 0x208..0x29f"));
  TRY(zero(0x2a0 + 144, kReportBytes, "report 0x330..0x49f"));
  // There are four VMPLs; reports that a host asked for itself carry another number, and no guest vouches for them.
  if (report.vmpl > kMaxVmpl) return Error{Errc::report_reserved, "report VMPL", report.vmpl, kMaxVmpl};
  if ((report.key_flags >> 5) != 0) return Error{Errc::report_reserved, "report 0x048 bits 31:5", report.key_flags, 0};
  return ok();
}

}  // namespace

const char* product_name(Product product) {
  switch (product) {
    case Product::milan:
      return "Milan";
    case Product::genoa:
      return "Genoa";
    case Product::turin:
      return "Turin";
  }
  return "?";
}

Tcb decode_tcb(Product product, const TcbVersion& octets) {
  if (product == Product::turin) {
    return {.fmc = octets[0], .boot_loader = octets[1], .tee = octets[2], .snp = octets[3], .microcode = octets[7]};
  }
  return {.fmc = 0, .boot_loader = octets[0], .tee = octets[1], .snp = octets[6], .microcode = octets[7]};
}

TcbVersion encode_tcb(Product product, const Tcb& tcb) {
  if (product == Product::turin) return {tcb.fmc, tcb.boot_loader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode};
  return {tcb.boot_loader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode};
}

Result<Product> product_of(std::uint8_t family, std::uint8_t model) {
  if (family == 0x19 && model <= 0x0f) return Product::milan;
  if (family == 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) return Product::genoa;
  if (family == 0x1a && model <= 0x11) return Product::turin;
  return Error{Errc::product_unknown, "report CPUID family and model", static_cast<std::uint64_t>(family) << 8 | model,
               0};
}

Result<RawReport> parse_report(Bytes octets) {
  if (octets.size() != kReportBytes) return Error{Errc::bad_length, "report", octets.size(), kReportBytes};
  RawReport report;
  std::memcpy(&report, octets.data(), sizeof report);
  const std::uint32_t version = report.version;
  // Version 4 was never documented in public: guessing its layout would be judging what we cannot read.
  if (version != 2 && version != 3 && version != 5) return Error{Errc::report_version, "report VERSION", version, 0};
  TRY(check_reserved(report));
  const std::uint64_t policy = report.policy;
  if ((policy & kPolicyReservedOne) == 0) return Error{Errc::report_policy_bits, "report POLICY bit 17", policy, 0};
  if ((policy & ~policy_bits(version)) != 0) {
    return Error{Errc::report_policy_bits, version < 5 ? "report POLICY bits 63:25" : "report POLICY bits 63:26",
                 policy, 0};
  }
  return report;
}

Result<RawReport> parse_report_rsp(Bytes payload) {
  Reader reader(payload);
  const le32 status = TRY(reader.copy<le32>("MSG_REPORT_RSP.STATUS"));
  if (status != 0) return Error{Errc::firmware_status, "MSG_REPORT_RSP.STATUS", status, 0};
  const le32 size = TRY(reader.copy<le32>("MSG_REPORT_RSP.REPORT_SIZE"));
  if (size != kReportBytes) return Error{Errc::bad_length, "MSG_REPORT_RSP.REPORT_SIZE", size, kReportBytes};
  TRY(reader.zeros(24, "MSG_REPORT_RSP.RESERVED"));
  const RawReport report = TRY(reader.copy<RawReport>("MSG_REPORT_RSP.REPORT"));
  TRY(reader.done("MSG_REPORT_RSP"));
  return report;
}

}  // namespace attestbed::snp
