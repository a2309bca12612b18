// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "sim/ca.h"

namespace attestbed::sim {

/// platform_info_bits are the bits of PLATFORM_INFO that firmware of a report version's time knew.
constexpr std::uint64_t platform_info_bits(std::uint32_t report_version) {
  if (report_version < 3) return 0x1f;  // SMT, TSME, ECC, RAPL_DIS, CIPHERTEXT_HIDING_DRAM
  if (report_version < 5) return 0x3f;  // and ALIAS_CHECK_COMPLETE
  return 0xff;                          // and SEV-TIO, and bit 6, which has no public name
}

/// Machine is one simulated host: a chip with its endorsement, and the firmware state that every guest's report shows.
/// REPORTED_TCB is the authority's. Immutable while guests run.
///   report_version      2, 3 or 5: the firmware's generation decides, not the guest
///   vlek_loaded         SNP_VLEK_LOAD was done: reports may be signed with the authority's VLEK
///   mask_chip_id        SNP_CONFIG MASK_CHIP_ID: CHIP_ID is zero in reports
///   mask_chip_key       SNP_CONFIG MASK_CHIP_KEY: the VCEK signs nothing
///   current_mit_vector  CURRENT_MIT_VECTOR, which only version 5 shows
struct Machine {
  std::shared_ptr<const CertificateAuthority> authority;
  snp::Tcb committed_tcb, current_tcb;
  snp::FirmwareVersion committed_version, current_version;
  std::uint64_t platform_info = 0;
  std::uint32_t report_version = 3;
  bool vlek_loaded = false;
  bool mask_chip_id = false;
  bool mask_chip_key = false;
  std::uint64_t current_mit_vector = 0;

  /// of is a machine of the authority's product with all TCBs equal, as after SNP_COMMIT.
  static Machine of(std::shared_ptr<const CertificateAuthority> authority);

  /// check demands a known report version, reported <= committed <= current TCB by component, and so of versions.
  ///   errors  bad_config, tcb_order
  Status check() const;
};

}  // namespace attestbed::sim
