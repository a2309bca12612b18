// SPDX-License-Identifier: Apache-2.0
#include "core/verify/verified_report.h"

#include <array>
#include <cstdio>

#include "core/verify/certificate_impl.h"
#include "core/verify/consistency.h"
#include "core/verify/report_rules.h"
#include "core/verify/signature.h"

namespace attestbed::verify {
namespace {

/// check_tcb_octets demands zero where the product's TCB_VERSION has no component. Of REPORTED_TCB that was compared.
Checked<void> check_tcb_octets(const snp::RawReport& report, snp::Product product) {
  const struct {
    const char* field;
    const snp::TcbVersion& octets;
  } tcbs[] = {{"CURRENT_TCB reserved octets", report.current_tcb},
              {"COMMITTED_TCB reserved octets", report.committed_tcb},
              {"LAUNCH_TCB reserved octets", report.launch_tcb}};
  for (const auto& [field, octets] : tcbs) {
    const snp::TcbVersion expected = snp::encode_tcb(product, snp::decode_tcb(product, octets));
    if (octets != expected) return Refusal{Errc::report_reserved, field, hex_text(expected), hex_text(octets)};
  }
  return {};
}

/// check_tcb_order demands REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB in each component. LAUNCH_TCB has no place in
/// that order: it is what was current when the guest was launched, and firmware that was not committed may go back
/// under a running guest. A policy may ask for an order (`provisional firmware`, `launch tcb`).
Checked<void> check_tcb_order(const snp::RawReport& report, snp::Product product) {
  const snp::Tcb reported = snp::decode_tcb(product, report.reported_tcb);
  const snp::Tcb committed = snp::decode_tcb(product, report.committed_tcb);
  const snp::Tcb current = snp::decode_tcb(product, report.current_tcb);
  for (const auto& [name, level] : tcb_components(product)) {
    if (reported.*level > committed.*level) {
      return Refusal{Errc::tcb_order, std::string("REPORTED_TCB.") + name,
                     "at most COMMITTED_TCB's " + std::to_string(committed.*level), std::to_string(reported.*level)};
    }
    if (committed.*level > current.*level) {
      return Refusal{Errc::tcb_order, std::string("COMMITTED_TCB.") + name,
                     "at most CURRENT_TCB's " + std::to_string(current.*level), std::to_string(committed.*level)};
    }
  }
  return {};
}

/// check_firmware_order demands the same of the firmware's version: what is committed cannot be newer than what runs.
Checked<void> check_firmware_order(const snp::RawReport& report) {
  const auto parts = [](const snp::FirmwareVersion& version) {
    return std::array{version.major, version.minor, version.build};
  };
  const auto text = [](const snp::FirmwareVersion& version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.build);
  };
  if (parts(report.committed) <= parts(report.current)) return {};
  return Refusal{Errc::tcb_order, "COMMITTED_MAJOR, COMMITTED_MINOR, COMMITTED_BUILD",
                 "at most CURRENT's " + text(report.current), text(report.committed)};
}

std::string chip_id_text(const snp::RawReport& report, const Vek& vek) {
  if (vek.hardware_id().empty()) return "not compared: a VLEK belongs to no chip";
  if (chip_id_is_masked(report)) return "not compared: masked (all zero)";
  return "equals hwID " + printable(hex_text(vek.hardware_id()), 16);
}

std::string tcb_text(const snp::Tcb& tcb, snp::Product product) {
  std::string text;
  for (const auto& [name, level] : tcb_components(product)) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" + std::to_string(tcb.*level);
  }
  return text;
}

}  // namespace

Checked<snp::RawReport> check_form(Bytes octets) {
  const Result<snp::RawReport> parsed = snp::parse_report(octets);
  if (parsed) return *parsed;
  const Error& error = parsed.error();
  char found[24];
  std::snprintf(found, sizeof found, "0x%llx", static_cast<unsigned long long>(error.found));
  switch (error.code) {
    case Errc::bad_length:
      return Refusal{error.code, error.where, std::to_string(error.expected) + " octets", std::to_string(error.found)};
    case Errc::report_version:
      return Refusal{error.code, error.where, "2, 3 or 5", std::to_string(error.found)};
    case Errc::report_policy_bits:
      return Refusal{error.code, error.where, "bit 17 set and bits 63:26 clear, before version 5 also bit 25", found};
    default:
      if (error.expected == 0) return Refusal{error.code, error.where, "zero", found};
      return Refusal{error.code, error.where, "at most " + std::to_string(error.expected), std::to_string(error.found)};
  }
}

Checked<VerifiedReport> verify_report(const snp::RawReport& unchecked, const Vek& vek, Steps* passed) {
  const auto pass = [&](const char* check, const auto& found) {
    if (passed != nullptr) passed->push_back({check, found()});
  };
  const snp::RawReport report = TRY(check_form(snp::octets_of(unchecked)));
  const VekExtensions& extensions = *vek.certificate().vek_extensions();
  const Certificate::Kind kind = TRY(signing_kind(report));
  if (kind != vek.kind()) {
    return Refusal{Errc::certificate_missing, "SIGNING_KEY", kind_name(vek.kind()), kind_name(kind)};
  }
  pass("signing key", [&] { return std::string(kind_name(kind)); });
  TRY(check_product(report, extensions));
  pass("product", [&] {
    return std::string(snp::product_name(vek.product())) + (report.version < 3 ? ", taken from the certificate" : "");
  });
  TRY(check_reported_tcb(report, extensions));
  pass("reported tcb", [&] { return tcb_text(vek.tcb(), vek.product()); });
  TRY(check_chip_id(report, extensions));
  pass("chip id", [&] { return chip_id_text(report, vek); });
  TRY(check_signature(report, vek.certificate()));
  pass("signature", [] { return std::string("ECDSA P-384 over octets 0x000..0x29f"); });
  TRY(check_tcb_octets(report, vek.product()));
  TRY(check_tcb_order(report, vek.product()));
  TRY(check_firmware_order(report));
  pass("tcb order", [] { return std::string("reported <= committed <= current"); });
  TRY(check_consistency(report));
  pass("consistency", [] { return std::string("keys, platform and firmware fit the flags and the launch policy"); });
  return VerifiedReport(report, vek, chip_id_is_masked(report));
}

}  // namespace attestbed::verify
