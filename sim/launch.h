// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "core/platform/entropy.h"
#include "sim/launch_digest.h"
#include "sim/machine.h"

namespace attestbed::sim {

using HostData = ByteArray<32>;
using ReportId = ByteArray<32>;

/// kDefaultPolicy is what most hosts launch with: SMT allowed, no debugging.
inline constexpr std::uint64_t kDefaultPolicy = snp::kPolicyReservedOne | snp::kPolicySmtAllowed;

/// GuestContext is what the firmware keeps about one running guest (GCTX; facts/snp-firmware 5.2).
///   message_count  per VMPCK, the sequence number of its last reply; 0 at launch
struct GuestContext {
  std::uint64_t policy = 0;
  snp::Measurement measurement{};
  HostData host_data{};
  ReportId report_id{};
  snp::Tcb launch_tcb{};
  std::array<snp::Vmpck, snp::kVmpckCount> vmpcks;
  std::array<std::uint64_t, snp::kVmpckCount> message_count{};

  /// secrets_page is the page in which the guest finds its VMPCKs. The caller wipes it.
  snp::Page secrets_page(const Machine& machine) const;
};

/// Launch walks a guest through SNP_LAUNCH_START, _UPDATE and _FINISH. Refusals by the firmware are errors
/// `firmware_refused` with the status in `found`.
class Launch {
 public:
  /// start judges the policy against the machine (POLICY_FAILURE, 0x07) and draws VMPCKs and REPORT_ID from `entropy`.
  static Result<Launch> start(const Machine& machine, std::uint64_t policy, Entropy& entropy);
  Status update(const LaunchPage& page) { return digest_.update(page); }
  /// finish ends the launch: the guest can run, its measurement is fixed.
  GuestContext finish(const HostData& host_data) &&;

 private:
  explicit Launch(GuestContext context) : context_(std::move(context)) {}
  GuestContext context_;
  LaunchDigest digest_;
};

}  // namespace attestbed::sim
