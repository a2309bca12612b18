// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/snp/report.h"

namespace attestbed::verify {

/// Refusal is one failed check: a stable code, the field, what was expected and what was found, in words for people.
struct Refusal {
  Errc code = Errc::internal;
  std::string field;
  std::string expected;
  std::string found;
  /// text is one line: "tcb_mismatch: REPORTED_TCB.microcode: expected 219, found 220; <remedy>".
  std::string text() const;
};
template <class T>
using Checked = Result<T, Refusal>;

using Time = std::chrono::sys_seconds;

/// Certificate is a parsed X.509 certificate: a shared, immutable handle. `source` names where it came from (a file, a
/// KDS path), for messages.
class Certificate {
 public:
  enum class Kind { ark, ask, asvk, vcek, vlek, other };

  /// parse reads one DER certificate, or every certificate of a PEM text. Errors: certificate_malformed.
  static Checked<std::vector<Certificate>> parse(Bytes der_or_pem, std::string source);

  Kind kind() const;  // by subject common name: ARK-*, SEV-VLEK-* (asvk), SEV-VCEK, SEV-VLEK, SEV-* (ask)
  const std::string& source() const;
  std::string common_name() const;
  std::vector<std::uint8_t> der() const;
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// TrustedRoots are the ARKs that the caller's configuration names, and nothing else. An ARK that arrives with the
/// evidence is never one.
class TrustedRoots {
 public:
  /// amd is AMD's Milan, Genoa and Turin roots, shipped as data (core/verify/roots/).
  static const TrustedRoots& amd();
  /// from_certificates takes the self-signed ARKs of `given` and ignores the rest; root_untrusted if there is none.
  static Checked<TrustedRoots> from_certificates(std::span<const Certificate> given);

  std::span<const Certificate> certificates() const { return roots_; }
  /// simulated is true unless every root is byte-identical to one of AMD's: then programs shout.
  bool simulated() const;

 private:
  std::vector<Certificate> roots_;
};

/// Vek is a VCEK or VLEK whose chain to a trusted root, dates, form and extensions were checked, for any report. Parsed
/// once, it serves many reports.
class Vek {
 public:
  Certificate::Kind kind() const;
  const Certificate& certificate() const;
  const Certificate& root() const;
  snp::Product product() const;
  snp::Tcb tcb() const;
  /// hardware_id is the VCEK's chip id (64 octets; Turin: 8); empty for a VLEK.
  std::span<const std::uint8_t> hardware_id() const;
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  friend Checked<Vek> verify_chain(const Certificate&, std::span<const Certificate>, const TrustedRoots&, Time);
  explicit Vek(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// verify_chain checks VEK <- ASK or ASVK (from `others`, or the ones that ship for AMD's products) <- trusted root:
/// PSS signatures, dates at `at`, CA constraints, names, the exact AMD extension set.
///   errors  root_untrusted, certificate_missing, chain_*, vek_name, vek_extension, certificate_malformed
///   spec    57230; facts/snp-firmware 4.1, 4.2, 7.2
Checked<Vek> verify_chain(const Certificate& vek, std::span<const Certificate> others, const TrustedRoots& roots,
                          Time at);

/// VerifiedReport is a report of known form that a Vek under a trusted root signed for the right chip and TCB. Only
/// verify_report makes one.
class VerifiedReport {
 public:
  const snp::RawReport& report() const { return report_; }
  const Vek& vek() const { return vek_; }
  bool chip_id_masked() const { return chip_id_masked_; }

 private:
  friend Checked<VerifiedReport> verify_report(const snp::RawReport&, const Vek&);
  VerifiedReport(const snp::RawReport& report, Vek vek, bool chip_id_masked)
      : report_(report), vek_(std::move(vek)), chip_id_masked_(chip_id_masked) {}
  snp::RawReport report_;
  Vek vek_;
  bool chip_id_masked_;
};

/// select_vek picks the certificate that endorses `report`: the kind its SIGNING_KEY names, for its chip and TCB.
/// Errors: certificate_missing, tcb_mismatch or chip_id_mismatch naming the nearest candidate, report_unsigned.
Checked<Certificate> select_vek(const snp::RawReport& report, std::span<const Certificate> candidates);

/// verify_report checks form, product, signing key kind, chip id, TCB and signature, in this order.
Checked<VerifiedReport> verify_report(const snp::RawReport& report, const Vek& vek);

/// Policy is what a relying party demands of a verified report. An absent field is not judged.
struct Policy {
  std::optional<std::uint32_t> max_vmpl;
  bool allow_debug = false;
  bool allow_migration_agent = false;
  std::vector<snp::Measurement> measurements;  // empty = not judged
  std::optional<snp::ReportData> report_data;
  std::optional<ByteArray<32>> host_data;
  std::optional<snp::Tcb> minimum_tcb;
  std::vector<snp::Product> products;  // empty = any
};

/// appraise judges a verified report; the first failed check is returned. It cannot be handed raw octets by accident.
///   errors  product_refused, vmpl_too_high, debug_enabled, policy_mismatch, tcb_too_low, measurement_unknown,
///           host_data_mismatch, report_data_mismatch
Checked<void> appraise(const VerifiedReport& verified, const Policy& policy);

}  // namespace attestbed::verify
