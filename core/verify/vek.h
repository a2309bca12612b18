// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "core/verify/certificate.h"
#include "core/verify/trusted_roots.h"

namespace attestbed::verify {

/// Vek is a VCEK or VLEK whose chain to a trusted root, dates, form and extensions were checked, for any report. Made
/// once, it serves many reports, until its chain_valid_until.
class Vek {
 public:
  Certificate::Kind kind() const { return certificate().kind(); }
  const Certificate& certificate() const;
  const Certificate& intermediate() const;
  const Certificate& root() const;
  snp::Product product() const;
  snp::Tcb tcb() const;
  /// hardware_id is the VCEK's chip id (64 octets; Turin: 8); empty for a VLEK.
  std::span<const std::uint8_t> hardware_id() const;
  /// chain_valid_until is the earliest notAfter of the three certificates: who keeps a Vek asks again after it.
  Time chain_valid_until() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  friend Checked<Vek> verify_chain(const Certificate&, std::span<const Certificate>, const TrustedRoots&, Time, Steps*);
  explicit Vek(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// verify_chain checks VEK <- ASK or ASVK (from `others`, or the ones that ship for AMD's products) <- trusted root, in
/// this order: names, an issuer that a trusted root signed and that signed the VEK, CA constraints, dates at `at`, key
/// type, the exact AMD extension set. Of several issuers of the right name the first kMaxIssuers are tried.
///   others  may hold anything; only the VEK's issuer is looked for, and roots in it are ignored
///   passed  if given, receives one Step for each check that passed
///   errors  vek_name, certificate_missing, root_untrusted, chain_signature, chain_constraint, chain_expired,
///           chain_not_yet_valid, vek_extension
///   spec    57230; what AMD's published certificates look like
Checked<Vek> verify_chain(const Certificate& vek, std::span<const Certificate> others, const TrustedRoots& roots,
                          Time at, Steps* passed = nullptr);
inline constexpr std::size_t kMaxIssuers = 8;

}  // namespace attestbed::verify
