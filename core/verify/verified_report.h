// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>

#include "core/snp/report.h"
#include "core/verify/vek.h"

namespace attestbed::verify {

/// VerifiedReport is a report of known form that a Vek under a trusted root signed for the right chip and TCB. Only
/// verify_report makes one.
class VerifiedReport {
 public:
  const snp::RawReport& report() const { return report_; }
  const Vek& vek() const { return vek_; }
  /// chip_id_masked is true when CHIP_ID is all zero: then nothing tied the report to the VCEK's chip but its key.
  bool chip_id_masked() const { return chip_id_masked_; }

 private:
  friend Checked<VerifiedReport> verify_report(const snp::RawReport&, const Vek&, Steps*);
  VerifiedReport(const snp::RawReport& report, Vek vek, bool chip_id_masked)
      : report_(report), vek_(std::move(vek)), chip_id_masked_(chip_id_masked) {}
  snp::RawReport report_;
  Vek vek_;
  bool chip_id_masked_;
};

/// check_form is snp::parse_report with its error as a Refusal.
Checked<snp::RawReport> check_form(Bytes octets);

/// select_vek picks the certificate that endorses `report`: the kind its SIGNING_KEY names, for its product, chip and
/// TCB. Of several that fit (a masked chip id, a renewed VLEK) it takes one whose key signed the report, and of those
/// the one that is valid longest. Nothing is trusted by being picked: verify_chain decides.
///   errors  certificate_missing; tcb_mismatch, chip_id_mismatch or product_mismatch naming the nearest candidate;
///           vek_extension if the only candidates are malformed; report_unsigned
inline constexpr std::size_t kMaxCandidates = 32;  // that fit; more are not looked at
Checked<Certificate> select_vek(const snp::RawReport& report, std::span<const Certificate> candidates);

/// verify_report checks form, signing key kind, product, REPORTED_TCB, chip id, signature, the order of the TCB
/// versions, and that the fields do not contradict each other, in this order.
///   passed  if given, receives one Step for each check that passed
///   errors  report_*, certificate_missing (the VEK is of the other kind), product_unknown, product_mismatch,
///           tcb_mismatch, chip_id_mismatch, signature_invalid, tcb_order,
///           report_contradiction, launch_policy_broken
Checked<VerifiedReport> verify_report(const snp::RawReport& report, const Vek& vek, Steps* passed = nullptr);

}  // namespace attestbed::verify
