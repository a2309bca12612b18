// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/verify/certificate.h"

namespace attestbed::verify {

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

/// amd_intermediates are AMD's ASK and ASVK of the same products; they fill in for what the evidence leaves out and
/// lend no trust of their own.
std::span<const Certificate> amd_intermediates();

}  // namespace attestbed::verify
