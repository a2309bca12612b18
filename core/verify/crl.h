// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/verify/vek.h"

namespace attestbed::verify {

inline constexpr std::size_t kMaxCrlBytes = 256 * 1024;

/// Crl is a parsed certificate revocation list: a shared, immutable handle. Nobody vouches for it until
/// check_revocation has found its signature good.
class Crl {
 public:
  /// parse reads one CRL, DER or PEM, at most kMaxCrlBytes, with nothing behind it. `source` names where it came from.
  ///   errors  crl_malformed, also for a critical extension (RFC 5280 section 5.2: none is known here) and for a CRL
  ///           that does not say when the next one comes; too_large
  static Checked<Crl> parse(Bytes der_or_pem, std::string source);

  const std::string& source() const;
  std::string issuer() const;  // its common name, printable
  Time this_update() const;
  Time next_update() const;
  std::size_t revoked() const;  // how many serial numbers it lists

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Crl(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// check_revocation demands a CRL that the chain's root issued and signed in AMD's form, that is current at `at`, and
/// that lists neither the intermediate nor the root. AMD's VEKs all have serial number 0, so of a VEK no CRL can speak.
///   passed  if given, receives one Step
///   errors  crl_missing (none of `crls` is the root's), crl_signature, crl_expired, certificate_revoked. Any good CRL
///           that revokes decides; if none is good, the refusal is the first one's.
Checked<void> check_revocation(const Vek& vek, std::span<const Crl> crls, Time at, Steps* passed = nullptr);

}  // namespace attestbed::verify
