// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/snp/report.h"

namespace attestbed::snp {

/// Cpuid is what reports of version 3 and later say about the processor.
struct Cpuid {
  std::uint8_t family = 0, model = 0, step = 0;  // combined: base and extended
  friend bool operator==(const Cpuid&, const Cpuid&) = default;
};

/// MitigationVectors are what reports of version 5 add.
struct MitigationVectors {
  std::uint64_t launch = 0, current = 0;
  friend bool operator==(const MitigationVectors&, const MitigationVectors&) = default;
};

/// BuildVersion is a firmware version without its reserved octet.
struct BuildVersion {
  std::uint8_t build = 0, minor = 0, major = 0;
  friend bool operator==(const BuildVersion&, const BuildVersion&) = default;
};

/// ReportFields is an attestation report as values: numbers of the host, TCBs taken apart in the product's order, what
/// only some versions have as optional. Nothing reserved has a place here, so a RawReport has such a form only if its
/// reserved bits are zero, and encode_report and decode_report are each other's inverse.
///   signature_r, signature_s  little-endian, as in the report; zero in an unsigned one
///   spec                      56860 ATTESTATION_REPORT
struct ReportFields {
  std::uint32_t version = 3, guest_svn = 0;
  std::uint64_t policy = 0;
  ByteArray<16> family_id{}, image_id{};
  std::uint32_t vmpl = 0, signature_algo = 1;
  Tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
  std::uint64_t platform_info = 0;
  bool author_key_enabled = false, chip_key_masked = false;
  SigningKey signing_key = SigningKey::vcek;
  ReportData report_data{};
  Measurement measurement{};
  ByteArray<32> host_data{};
  ByteArray<48> id_key_digest{}, author_key_digest{};
  ByteArray<32> report_id{}, report_id_ma{};
  std::optional<Cpuid> cpuid;  // version 3 and later
  ChipId chip_id{};
  BuildVersion current, committed;
  std::optional<MitigationVectors> mitigation;  // version 5
  ByteArray<48> signature_r{}, signature_s{};
  friend bool operator==(const ReportFields&, const ReportFields&) = default;
};

/// encode_report writes the report of `product`.
///   errors  report_version unless 2, 3 or 5; report_reserved for a value that the version or the product has no place
///           for, or lacks one that it has; report_policy_bits
Result<RawReport> encode_report(const ReportFields& fields, Product product);

/// decode_report is its inverse. The product decides the order of TCBs; version 2 does not say which it is.
///   errors  as parse_report, and report_reserved for reserved octets of a TCB or SIGNATURE, and for a reserved
///           SIGNING_KEY
Result<ReportFields> decode_report(const RawReport& report, Product product);

}  // namespace attestbed::snp
