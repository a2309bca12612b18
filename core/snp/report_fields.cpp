// SPDX-License-Identifier: Apache-2.0
#include "core/snp/report_fields.h"

#include <cstring>

namespace attestbed::snp {
namespace {

constexpr std::uint32_t kFirstVersionWithCpuid = 3, kFirstVersionWithMitigation = 5;
constexpr std::size_t kNumberOctets = 48;

template <std::size_t N>
void put(std::uint8_t (&to)[N], const ByteArray<N>& from) {
  std::memcpy(to, from.data(), N);
}
template <std::size_t N>
void take(ByteArray<N>& to, const std::uint8_t (&from)[N]) {
  std::memcpy(to.data(), from, N);
}

FirmwareVersion raw(const BuildVersion& version) {
  return {version.build, version.minor, version.major, 0};
}
BuildVersion fields_of(const FirmwareVersion& version) {
  return {version.build, version.minor, version.major};
}

std::uint32_t key_flags(const ReportFields& fields) {
  return (fields.author_key_enabled ? 1U : 0U) | (fields.chip_key_masked ? 2U : 0U) |
         static_cast<std::uint32_t>(fields.signing_key) << 2;
}

// Values that the version or the product cannot say are refused, not dropped: what was asked for would be lost.
Status check_places(const ReportFields& fields, Product product) {
  const auto refuse = [](const char* where) { return Status(Error{Errc::report_reserved, where}); };
  if (fields.cpuid.has_value() != (fields.version >= kFirstVersionWithCpuid)) {
    return refuse("CPUID octets (from version 3)");
  }
  if (fields.mitigation.has_value() != (fields.version >= kFirstVersionWithMitigation)) {
    return refuse("mitigation vectors (from version 5)");
  }
  for (const Tcb* tcb : {&fields.current_tcb, &fields.reported_tcb, &fields.committed_tcb, &fields.launch_tcb}) {
    if (product != Product::turin && tcb->fmc != 0) return refuse("TCB fmc (Turin alone has one)");
  }
  return ok();
}

Status take_tcb(Tcb& to, const TcbVersion& octets, Product product, const char* where) {
  to = decode_tcb(product, octets);
  if (encode_tcb(product, to) != octets) return Error{Errc::report_reserved, where};
  return ok();
}

Status take_number(ByteArray<kNumberOctets>& to, const std::uint8_t (&from)[72], const char* where) {
  std::memcpy(to.data(), from, kNumberOctets);
  for (std::size_t i = kNumberOctets; i < sizeof from; ++i) {
    if (from[i] != 0) return Error{Errc::report_reserved, where, from[i], 0};
  }
  return ok();
}

}  // namespace

Result<RawReport> encode_report(const ReportFields& fields, Product product) {
  TRY(check_places(fields, product));
  RawReport report{};
  report.version = fields.version;
  report.guest_svn = fields.guest_svn;
  report.policy = fields.policy;
  put(report.family_id, fields.family_id);
  put(report.image_id, fields.image_id);
  report.vmpl = fields.vmpl;
  report.signature_algo = fields.signature_algo;
  report.current_tcb = encode_tcb(product, fields.current_tcb);
  report.platform_info = fields.platform_info;
  report.key_flags = key_flags(fields);
  report.report_data = fields.report_data;
  report.measurement = fields.measurement;
  report.host_data = fields.host_data;
  report.id_key_digest = fields.id_key_digest;
  report.author_key_digest = fields.author_key_digest;
  report.report_id = fields.report_id;
  report.report_id_ma = fields.report_id_ma;
  report.reported_tcb = encode_tcb(product, fields.reported_tcb);
  if (fields.cpuid) {
    report.cpuid_family = fields.cpuid->family;
    report.cpuid_model = fields.cpuid->model;
    report.cpuid_step = fields.cpuid->step;
  }
  report.chip_id = fields.chip_id;
  report.committed_tcb = encode_tcb(product, fields.committed_tcb);
  report.current = raw(fields.current);
  report.committed = raw(fields.committed);
  report.launch_tcb = encode_tcb(product, fields.launch_tcb);
  if (fields.mitigation) {
    report.launch_mit_vector = fields.mitigation->launch;
    report.current_mit_vector = fields.mitigation->current;
  }
  std::memcpy(report.signature.r, fields.signature_r.data(), kNumberOctets);
  std::memcpy(report.signature.s, fields.signature_s.data(), kNumberOctets);
  // What no parser would take is not written either.
  return parse_report(octets_of(report));
}

Result<ReportFields> decode_report(const RawReport& report, Product product) {
  TRY(parse_report(octets_of(report)));
  ReportFields fields;
  fields.version = report.version;
  fields.guest_svn = report.guest_svn;
  fields.policy = report.policy;
  take(fields.family_id, report.family_id);
  take(fields.image_id, report.image_id);
  fields.vmpl = report.vmpl;
  fields.signature_algo = report.signature_algo;
  TRY(take_tcb(fields.current_tcb, report.current_tcb, product, "CURRENT_TCB reserved octets"));
  fields.platform_info = report.platform_info;
  fields.author_key_enabled = author_key_enabled(report.key_flags);
  fields.chip_key_masked = chip_key_masked(report.key_flags);
  const std::uint32_t key = signing_key_bits(report.key_flags);
  if (key > 1 && key != static_cast<std::uint32_t>(SigningKey::none)) {
    return Error{Errc::report_reserved, "SIGNING_KEY", key, 0};
  }
  fields.signing_key = static_cast<SigningKey>(key);
  fields.report_data = report.report_data;
  fields.measurement = report.measurement;
  fields.host_data = report.host_data;
  fields.id_key_digest = report.id_key_digest;
  fields.author_key_digest = report.author_key_digest;
  fields.report_id = report.report_id;
  fields.report_id_ma = report.report_id_ma;
  TRY(take_tcb(fields.reported_tcb, report.reported_tcb, product, "REPORTED_TCB reserved octets"));
  if (fields.version >= kFirstVersionWithCpuid) {
    fields.cpuid = Cpuid{report.cpuid_family, report.cpuid_model, report.cpuid_step};
  }
  fields.chip_id = report.chip_id;
  TRY(take_tcb(fields.committed_tcb, report.committed_tcb, product, "COMMITTED_TCB reserved octets"));
  fields.current = fields_of(report.current);
  fields.committed = fields_of(report.committed);
  TRY(take_tcb(fields.launch_tcb, report.launch_tcb, product, "LAUNCH_TCB reserved octets"));
  if (fields.version >= kFirstVersionWithMitigation) {
    fields.mitigation = MitigationVectors{report.launch_mit_vector, report.current_mit_vector};
  }
  TRY(take_number(fields.signature_r, report.signature.r, "SIGNATURE.R reserved octets"));
  TRY(take_number(fields.signature_s, report.signature.s, "SIGNATURE.S reserved octets"));
  return fields;
}

}  // namespace attestbed::snp
