// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "sim/ca.h"
#include "sim/kds/path.h"

namespace attestbed::sim {

/// KdsCatalogue is what a simulated KDS has: one authority and its chip for each product.
class KdsCatalogue {
 public:
  /// of_default_seed has the default seed's authority of every product. Errors: internal.
  static Outcome<KdsCatalogue> of_default_seed();
  /// of_directory has the one that `snp-sim certs` saved. Errors: io_failed, bad_config.
  static Outcome<KdsCatalogue> of_directory(const std::string& directory);

  /// revoke_intermediates lets every CRL list ASK and ASVK. Errors: internal.
  Outcome<void> revoke_intermediates();

  struct Answer {
    int status = 404;
    std::string body;
    const char* content_type = "text/plain";
  };
  /// answer is 404 for a product, a chip or a TCB that it does not know: a chip has VCEKs for every TCB of which no
  /// component is above the chip's own.
  Answer answer(const KdsAsk& ask) const;

  const std::map<snp::Product, CertificateAuthority>& authorities() const { return authorities_; }

 private:
  std::map<snp::Product, CertificateAuthority> authorities_;
  std::map<snp::Product, Der> revoking_crls_;
};

}  // namespace attestbed::sim
