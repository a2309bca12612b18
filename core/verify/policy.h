// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/snp/report.h"
#include "core/verify/certificate.h"

namespace attestbed::verify {

/// PlatformDemands is what is demanded of PLATFORM_INFO: how the machine is set up, beyond what the guest's own POLICY
/// made a condition of its launch. As in Policy, what is absent is not judged.
struct PlatformDemands {
  std::optional<bool> allow_smt, allow_tsme, allow_sev_tio;
  std::optional<bool> allow_undocumented_bits;  // bit 6 and those above 7; real Turin machines set bit 6
  bool require_ecc = false;
  bool require_rapl_disabled = false;
  bool require_ciphertext_hiding = false;
  bool require_alias_check = false;
};

/// VersionBound is a lower bound on a version that has a major and a minor part.
struct VersionBound {
  std::uint8_t major = 0, minor = 0;
  friend auto operator<=>(const VersionBound&, const VersionBound&) = default;
};

/// Policy is what a relying party demands of a verified report. An absent field is not judged, with two exceptions that
/// must be allowed by name: debug and the migration agent. Of an optional<bool> `allow_x`, false demands that x is off;
/// true allows it and says so.
struct Policy {
  // The machine and the key.
  std::vector<snp::Product> products;           // empty = any
  std::vector<Certificate::Kind> signing_keys;  // of vcek and vlek; empty = either
  std::vector<std::string> csp_ids;             // of a VLEK; empty = not judged
  std::vector<snp::ChipId> chip_ids;            // empty = not judged
  std::optional<bool> allow_masked_chip;        // CHIP_ID of zeros
  PlatformDemands platform;

  // The firmware.
  std::optional<std::uint32_t> minimum_report_version;
  std::optional<snp::Tcb> minimum_tcb;         // of REPORTED_TCB, each component
  std::optional<snp::Tcb> minimum_launch_tcb;  // of LAUNCH_TCB
  std::optional<VersionBound> minimum_firmware;
  std::optional<std::uint8_t> minimum_firmware_build;
  std::optional<bool> allow_provisional_firmware;  // COMMITTED below CURRENT: the host may still go back
  std::uint64_t launch_mitigations = 0;            // bits that LAUNCH_MIT_VECTOR must have
  std::uint64_t current_mitigations = 0;           // bits that CURRENT_MIT_VECTOR must have

  // POLICY: what the guest's owner let the host do.
  bool allow_debug = false;
  bool allow_migration_agent = false;
  std::optional<bool> allow_smt, allow_cxl;
  bool require_single_socket = false;
  bool require_aes_256_xts = false;
  bool require_rapl_disabled = false;
  bool require_ciphertext_hiding = false;
  bool require_page_swap_disabled = false;
  std::optional<VersionBound> minimum_abi;

  // The guest.
  std::optional<std::uint32_t> vmpl;      // exactly
  std::optional<std::uint32_t> max_vmpl;  // at most
  std::optional<std::uint32_t> minimum_guest_svn;
  std::vector<snp::Measurement> measurements;  // empty = not judged
  std::optional<snp::ReportData> report_data;
  std::optional<ByteArray<32>> host_data, report_id, report_id_ma;
  std::optional<ByteArray<16>> family_id, image_id;

  // Who signed the ID block. A listed author key vouches for the ID keys that it signed.
  bool require_id_block = false;
  bool require_author_key = false;
  std::vector<ByteArray<48>> id_key_digests, author_key_digests;
};

}  // namespace attestbed::verify
