// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/snp/report.h"
#include "core/verify/refusal.h"

namespace attestbed::verify {

inline constexpr std::size_t kMaxCertificateBytes = 8 * 1024;
inline constexpr std::size_t kMaxPemBytes = 64 * 1024;
inline constexpr std::size_t kMaxCertificatesPerFile = 16;

/// VekExtensions are what AMD says in a VCEK or VLEK (arc 1.3.6.1.4.1.3704.1), taken apart strictly: every required
/// extension once, no unknown one, minimal non-negative INTEGERs. Until verify_chain has passed nobody vouches for
/// them.
struct VekExtensions {
  std::uint8_t struct_version = 0;
  std::string product_name;  // "Milan-B0", "Genoa", …
  snp::Product product = snp::Product::milan;
  snp::Tcb tcb;
  std::vector<std::uint8_t> hardware_id;  // VCEK: 64 octets, Turin 8; VLEK: empty
  std::string csp_id;                     // VLEK only
};

/// Certificate is a parsed X.509 certificate: a shared, immutable handle, safe to use from several threads. `source`
/// names where it came from (a file, a KDS path), for messages.
class Certificate {
 public:
  enum class Kind { ark, ask, asvk, vcek, vlek, other };

  /// parse reads one DER certificate (at most kMaxCertificateBytes, canonical, nothing behind it), or every certificate
  /// of a PEM text (at most kMaxPemBytes and kMaxCertificatesPerFile).
  ///   errors  certificate_malformed; too_large for the bounds
  static Checked<std::vector<Certificate>> parse(Bytes der_or_pem, std::string source);

  Kind kind() const;  // by subject common name: ARK-*, SEV-VLEK-* (asvk), SEV-VCEK, SEV-VLEK, SEV-* (ask)
  const std::string& source() const;
  std::string common_name() const;
  std::string subject() const;  // "OU=Engineering, C=US, …", escaped
  std::string issuer() const;
  Time not_before() const;
  Time not_after() const;
  const std::vector<std::uint8_t>& der() const;
  /// vek_extensions of a certificate whose kind is vcek or vlek. Errors: vek_extension; vek_name for another kind.
  const Checked<VekExtensions>& vek_extensions() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }
  /// Equality is identity of the DER octets.
  friend bool operator==(const Certificate& a, const Certificate& b);

 private:
  explicit Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// kind_name is "ARK", "ASK", "ASVK", "VCEK", "VLEK" or "other".
const char* kind_name(Certificate::Kind kind);

}  // namespace attestbed::verify
