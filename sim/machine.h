// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "sim/ca.h"

namespace attestbed::sim {

/// Machine is one simulated host: a chip with its endorsement, and the firmware state that every guest's report shows.
/// REPORTED_TCB is the authority's. Immutable while guests run.
struct Machine {
  std::shared_ptr<const CertificateAuthority> authority;
  snp::Tcb committed_tcb, current_tcb;
  snp::FirmwareVersion committed_version, current_version;
  std::uint64_t platform_info = 0;

  /// of is a machine of the authority's product with all TCBs equal, as after SNP_COMMIT.
  static Machine of(std::shared_ptr<const CertificateAuthority> authority);

  /// check demands reported <= committed <= current, component by component. Errors: tcb_order.
  Status check() const;
};

}  // namespace attestbed::sim
