// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "core/platform/entropy.h"
#include "sim/id_block.h"
#include "sim/launch_digest.h"
#include "sim/machine.h"

namespace attestbed::sim {

using HostData = ByteArray<32>;
using ReportId = ByteArray<32>;

/// kDefaultPolicy is what most hosts launch with: SMT allowed, no debugging.
inline constexpr std::uint64_t kDefaultPolicy = snp::kPolicyReservedOne | snp::kPolicySmtAllowed;

/// GuestContext is what the firmware keeps about one running guest (56860 GCTX).
///   vmrk                VM root key: random at launch, so what is derived from it dies with the guest
///   message_count       per VMPCK, the sequence number of its last reply; 0 at launch
///   family_id, image_id, guest_svn, id_key_digest   of the ID block; zero without one
///   author_key_digest   of the author key that endorses the ID key; meaningful if author_key_enabled
///   vcek_disabled       LAUNCH_FINISH VCEK_DIS: the VCEK signs and derives nothing for this guest
///   launch_mit_vector   the machine's mitigation vector at launch, shown by reports of version 5
struct GuestContext {
  std::uint64_t policy = 0;
  snp::Measurement measurement{};
  HostData host_data{};
  FamilyId family_id{};
  ImageId image_id{};
  std::uint32_t guest_svn = 0;
  KeyDigest id_key_digest{};
  KeyDigest author_key_digest{};
  bool author_key_enabled = false;
  bool vcek_disabled = false;
  std::uint64_t launch_mit_vector = 0;
  ReportId report_id{};
  snp::Tcb launch_tcb{};
  std::array<snp::Vmpck, snp::kVmpckCount> vmpcks;
  Secret<32> vmrk;
  std::array<std::uint64_t, snp::kVmpckCount> message_count{};

  /// secrets_page is the page in which the guest finds its VMPCKs. The caller wipes it.
  snp::Page secrets_page(const Machine& machine) const;
};

/// LaunchFinish is what a host hands to SNP_LAUNCH_FINISH.
///   vcek_disabled  VCEK_DIS
///   id_block       ID_BLOCK_EN: the launch must be the one that the guest's owner signed
struct LaunchFinish {
  HostData host_data{};
  bool vcek_disabled = false;
  std::optional<SignedIdBlock> id_block;
};

/// Launch walks a guest through SNP_LAUNCH_START, _UPDATE and _FINISH. Refusals by the firmware are errors
/// `firmware_refused` with the status in `found`; a refused command changes nothing, so the host may try again.
/// Checks: 56860 SNP_LAUNCH_*; their order is that of one published firmware release.
class Launch {
 public:
  /// start judges the policy against the machine (POLICY_FAILURE, 0x07) and draws VMPCKs and REPORT_ID from `entropy`.
  /// The guest is activated, too: it has an ASID.
  static Result<Launch> start(const Machine& machine, std::uint64_t policy, Entropy& entropy);

  /// update and update_large add a page. Errors: INVALID_GUEST_STATE (0x02) once the guest runs, INACTIVE (0x08), those
  /// of LaunchDigest.
  Status update(const LaunchPage& page);
  Status update_large(const LargeLaunchPage& page);

  /// deactivate takes the ASID away, as the command DEACTIVATE does.
  void deactivate() { active_ = false; }

  /// try_finish ends the launch: measurement and HOST_DATA are fixed, and the guest can run.
  ///   errors  in this order: INVALID_PARAM (0x16) for reserved octets that are set, INVALID_GUEST_STATE (0x02) if the
  ///           guest runs already, INACTIVE (0x08), those of check_id_block
  Result<GuestContext> try_finish(const LaunchFinish& finish);

  /// finish without an ID block, of a guest that is being launched and was not deactivated: cannot be refused.
  GuestContext finish(const HostData& host_data) &&;

 private:
  explicit Launch(GuestContext context) : context_(std::move(context)) {}
  Status check_state(const char* state_field, const char* asid_field) const;

  GuestContext context_;
  LaunchDigest digest_;
  bool running_ = false;
  bool active_ = true;
};

}  // namespace attestbed::sim
