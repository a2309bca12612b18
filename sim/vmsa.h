// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/vmpck.h"
#include "sim/failure.h"

namespace attestbed::sim {

/// kResetVector is where the first processor of a guest begins.
inline constexpr std::uint32_t kResetVector = 0xfffffff0;

/// Vmm is whose first register values a VMSA has: QEMU with KVM, Amazon EC2 or Google Compute Engine. The values of the
/// last two are those of sev-snp-measure 0.0.13; for EC2 the `sev` crate has another RDX (0).
enum class Vmm : std::uint8_t { qemu, ec2, gce };

/// vmm_named knows "QEMU", "ec2" and "gce". Errors: bad_config.
Outcome<Vmm> vmm_named(std::string_view name);

/// cpu_signature_of is CPUID 1 EAX of a processor model by QEMU's name: "EPYC-v4", "EPYC-Milan"
/// (sev-snp-measure; Turin's is known from it alone). Errors: bad_config, with the names that exist.
Outcome<std::uint64_t> cpu_signature_of(std::string_view model);

/// VmsaState is what of a virtual CPU's first state differs between CPUs and machines.
struct VmsaState {
  std::uint32_t eip = kResetVector;
  std::uint64_t cpu_signature = 0x800f12;  // RDX on QEMU; by default of EPYC-v4
  std::uint64_t sev_features = 1;          // SNPActive
  Vmm vmm = Vmm::qemu;
  friend bool operator==(const VmsaState&, const VmsaState&) = default;
};

/// vmsa_page lays out a VMSA for measuring, as KVM and QEMU (or the other VMM) fill it.
snp::Page vmsa_page(const VmsaState& state);

}  // namespace attestbed::sim
