// SPDX-License-Identifier: Apache-2.0
#include "core/verify/trusted_roots.h"

#include <algorithm>

#include "core/verify/certificate_impl.h"
#include "core/verify/roots_data.h"
#include "core/verify/x509_rules.h"

namespace attestbed::verify {
namespace {

using Kind = Certificate::Kind;

/// Shipped is roots/*.pem parsed once. Should OpenSSL fail to read them both lists stay short of something, and what
/// needed it is refused: the failure is on the safe side.
struct Shipped {
  std::vector<Certificate> roots, intermediates;

  Shipped() {
    for (const RootFile& file : root_files()) {
      const auto parsed = Certificate::parse(bytes_of(file.pem), std::string("shipped ") + file.name);
      if (!parsed) continue;
      for (const Certificate& certificate : *parsed) {
        std::vector<Certificate>& list = certificate.kind() == Kind::ark ? roots : intermediates;
        if (std::ranges::find(list, certificate) == list.end()) list.push_back(certificate);
      }
    }
  }
};

const Shipped& shipped() {
  static const Shipped parsed;
  return parsed;
}

}  // namespace

const TrustedRoots& TrustedRoots::amd() {
  static const TrustedRoots roots = [] {
    TrustedRoots made;
    made.roots_ = shipped().roots;
    return made;
  }();
  return roots;
}

Checked<TrustedRoots> TrustedRoots::from_certificates(std::span<const Certificate> given) {
  TrustedRoots made;
  std::string seen;
  for (const Certificate& certificate : given) {
    seen += (seen.empty() ? "" : ", ") + described(certificate);
    if (certificate.kind() != Kind::ark || !is_signed_by(certificate, certificate)) continue;
    if (std::ranges::find(made.roots_, certificate) == made.roots_.end()) made.roots_.push_back(certificate);
  }
  if (made.roots_.empty()) {
    return Refusal{Errc::root_untrusted, "root", "a self-signed ARK",
                   seen.empty() ? "no certificate" : printable(seen, 400)};
  }
  return made;
}

bool TrustedRoots::simulated() const {
  const std::vector<Certificate>& amd = shipped().roots;
  return !std::ranges::all_of(roots_,
                              [&](const Certificate& root) { return std::ranges::find(amd, root) != amd.end(); });
}

std::span<const Certificate> amd_intermediates() {
  return shipped().intermediates;
}

}  // namespace attestbed::verify
