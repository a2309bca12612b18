// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/judge_evidence.h"

#include <algorithm>

#include "mock-kbs/cert_table.h"
#include "mock-kbs/key_binding.h"

namespace attestbed::kbs {
namespace {

Checked<std::shared_ptr<const ReferenceEntry>> bind(const verify::VerifiedReport& verified,
                                                    const ReferenceValues& values, const protocol::GuestPublicKey& key,
                                                    const protocol::Challenge& challenge) {
  const snp::Measurement& measurement = verified.report().measurement;
  const std::shared_ptr<const ReferenceEntry> entry = values.find(measurement);
  if (entry == nullptr) {
    return Refusal{Errc::measurement_unknown, "MEASUREMENT", "a measurement of the reference values",
                   verify::hex_text(measurement)};
  }
  if (std::ranges::find(entry->roots, verified.vek().root()) == entry->roots.end()) {
    return Refusal{Errc::root_untrusted, "VEK.root", "a root of entry " + entry->name,
                   verified.vek().root().common_name() + ", a root of another entry"};
  }
  // The entry names the binding; nothing in the request selects it.
  TRY(check_report_data(verified.report().report_data, entry->binding, key, challenge));
  return entry;
}

Checked<verify::Vek> endorse(const snp::RawReport& report, const std::vector<verify::Certificate>& certificates,
                             const verify::TrustedRoots& roots, verify::Time at) {
  const verify::Certificate vek = TRY(verify::select_vek(report, certificates));
  return verify::verify_chain(vek, certificates, roots, at);
}

Judgement judge_sample(const AttestRequest& request, const protocol::Challenge& challenge) {
  const Checked<ByteArray<48>> expected = binding_digest(request.key, challenge);
  if (!expected) return {Layer::binding, {}, expected.error()};
  const SampleEvidence& sample = request.evidence.sample;
  if (sample.report_data != *expected) {
    return {Layer::binding,
            {},
            Refusal{Errc::report_data_mismatch, "report_data", verify::hex_text(*expected),
                    verify::hex_text(sample.report_data)}};
  }
  return {Layer::appraisal, {}, Accepted{{}, {}, sample, kSampleAppraisal}};
}

}  // namespace

const char* layer_name(Layer layer) {
  switch (layer) {
    case Layer::parse:
      return "parse";
    case Layer::endorse:
      return "endorse";
    case Layer::signature:
      return "signature";
    case Layer::binding:
      return "binding";
    case Layer::appraisal:
      return "appraisal";
  }
  return "unknown";
}

// What comes from the KDS is judged like what comes with the evidence. A cached answer that does not verify is fetched
// once more.
Checked<verify::Vek> EvidenceJudge::endorse_with_kds(const snp::RawReport& report,
                                                     std::vector<verify::Certificate> certificates,
                                                     const verify::TrustedRoots& roots, verify::Time at) const {
  const Deadline until = kds_->clock.now() + kds_->budget;
  const std::size_t own = certificates.size();
  const auto complete = [&] {
    certificates.erase(certificates.begin() + static_cast<std::ptrdiff_t>(own), certificates.end());
    return kds::complete_endorsements(kds_->client, report, certificates, roots, until);
  };
  const std::vector<kds::Request> from_cache = TRY(complete());
  Checked<verify::Vek> vek = endorse(report, certificates, roots, at);
  if (!vek && kds::forget_refused(kds_->client, from_cache, vek.error())) {
    TRY(complete());
    vek = endorse(report, certificates, roots, at);
  }
  if (!vek || !kds_->check_revocation) return vek;
  const verify::Crl crl = TRY(kds::fetch_crl(kds_->client, *vek, at, until));
  TRY(verify::check_revocation(*vek, {&crl, 1}, at));
  return vek;
}

Judgement EvidenceJudge::judge(const AttestRequest& request, const protocol::Challenge& challenge,
                               const ReferenceValues& values, verify::Time at) const {
  const Evidence& evidence = request.evidence;
  if (evidence.kind == EvidenceKind::sample) return judge_sample(request, challenge);
  const Checked<snp::RawReport> report = verify::check_form(evidence.report);
  if (!report) return {Layer::parse, {}, report.error()};
  const snp::Measurement measurement = report->measurement;
  std::vector<verify::Certificate> certificates = certificates_;
  std::ranges::copy(evidence.chain, std::back_inserter(certificates));
  if (!evidence.certs.empty()) {
    Checked<std::vector<verify::Certificate>> sent = certificates_of_table(evidence.certs);
    if (!sent) return {Layer::parse, measurement, sent.error()};
    std::ranges::move(*sent, std::back_inserter(certificates));
  }
  const Checked<verify::Vek> vek = kds_ ? endorse_with_kds(*report, std::move(certificates), values.roots(), at)
                                        : endorse(*report, certificates, values.roots(), at);
  if (!vek) return {Layer::endorse, measurement, vek.error()};
  const Checked<verify::VerifiedReport> verified = verify::verify_report(*report, *vek);
  if (!verified) return {Layer::signature, measurement, verified.error()};
  const Checked<std::shared_ptr<const ReferenceEntry>> entry = bind(*verified, values, request.key, challenge);
  if (!entry) return {Layer::binding, measurement, entry.error()};
  const Checked<Appraisal> appraisal = appraise(*verified, **entry, mode_);
  if (!appraisal) return {Layer::appraisal, measurement, appraisal.error()};
  return {Layer::appraisal, measurement, Accepted{*verified, *entry, {}, *appraisal}};
}

}  // namespace attestbed::kbs
