// SPDX-License-Identifier: Apache-2.0
#include "sim/make_report.h"

#include "core/snp/report_fields.h"

namespace attestbed::sim {
namespace {

snp::BuildVersion version_of(const snp::FirmwareVersion& version) {
  return {version.build, version.minor, version.major};
}

Status check_key(const Machine& machine, const GuestContext& guest, snp::SigningKey key) {
  if (key == snp::SigningKey::vlek && !machine.vlek_loaded) return Error{Errc::bad_config, "VLEK (none is loaded)"};
  if (key == snp::SigningKey::vcek && machine.mask_chip_key)
    return Error{Errc::bad_config, "VCEK (MASK_CHIP_KEY is set)"};
  if (key == snp::SigningKey::vcek && guest.vcek_disabled)
    return Error{Errc::bad_config, "VCEK (the guest disabled it)"};
  return ok();
}

}  // namespace

Result<snp::RawReport> make_report(const Machine& machine, const GuestContext& guest, const ReportRequest& request) {
  TRY(machine.check());
  TRY(check_key(machine, guest, request.key));
  const CertificateAuthority& authority = *machine.authority;
  const ProductProfile& profile = authority.profile();
  snp::ReportFields fields;
  fields.version = machine.report_version;
  fields.guest_svn = guest.guest_svn;
  fields.policy = guest.policy;
  fields.family_id = guest.family_id;
  fields.image_id = guest.image_id;
  fields.vmpl = request.vmpl;
  // An unsigned report says how it would have been signed: only SIGNATURE is known to be zero in one.
  fields.signature_algo = 1;
  fields.current_tcb = machine.current_tcb;
  fields.reported_tcb = authority.tcb();
  fields.committed_tcb = machine.committed_tcb;
  fields.launch_tcb = guest.launch_tcb;
  fields.platform_info = machine.platform_info & platform_info_bits(machine.report_version);
  fields.author_key_enabled = guest.author_key_enabled;
  fields.chip_key_masked = machine.mask_chip_key;
  fields.signing_key = request.key;
  fields.report_data = request.report_data;
  fields.measurement = guest.measurement;
  fields.host_data = guest.host_data;
  fields.id_key_digest = guest.id_key_digest;
  fields.author_key_digest = guest.author_key_digest;
  fields.report_id = guest.report_id;
  fields.report_id_ma.fill(0xff);  // no migration agent
  if (fields.version >= 3) fields.cpuid = snp::Cpuid{profile.cpuid_family, profile.cpuid_model, profile.cpuid_step};
  if (!machine.mask_chip_id) fields.chip_id = authority.chip_id();
  fields.current = version_of(machine.current_version);
  fields.committed = version_of(machine.committed_version);
  if (fields.version >= 5) {
    fields.mitigation = snp::MitigationVectors{guest.launch_mit_vector, machine.current_mit_vector};
  }
  snp::RawReport report = TRY(encode_report(fields, profile.product));
  if (request.key == snp::SigningKey::none) return report;
  report.signature = TRY(authority.sign_report(octets_of(report).first(snp::kSignedReportBytes), request.key));
  return report;
}

}  // namespace attestbed::sim
