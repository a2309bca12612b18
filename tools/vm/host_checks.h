// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/vm/host_facts.h"

namespace attestbed::vm {

// By the documentation and history of Linux and QEMU; nobody has started an SNP guest of ours on any of them.
inline constexpr Version kSnpHostKernel{6, 11};   // the first whose KVM starts SNP guests (branch kvm-6.11-sev-snp)
inline constexpr Version kSnpQemu{9, 1};          // the first with sev-snp-guest
inline constexpr Version kIgvmQemu{10, 1};        // the first with igvm-cfg
inline constexpr Version kSnpFirmwareApi{1, 51};  // the oldest that Linux initialises for SNP (ccp/sev-dev.c)

/// CheckState: ok, missing, or unknown where this host or this user cannot tell.
enum class CheckState : std::uint8_t { ok, missing, unknown };
const char* state_name(CheckState state);

/// HostCheck is one thing that a purpose needs.
///   name      stable, for scripts
///   required  without it the purpose fails; what is not required makes it better
///   found     what is there, one line
///   next      what to do about it, a command where there is one; empty if nothing
struct HostCheck {
  const char* name;
  bool required;
  CheckState state;
  std::string found;
  std::string next;
};

/// snp_checks judges a host for SNP guests, in the order in which one would mend it: processor, host-kernel,
/// kvm-switch, dev-kvm, dev-sev, qemu, ovmf, igvm, memory, firmware, guest-kernel. What hangs on another one that is
/// not ok is unknown, and its `next` names that one.
std::vector<HostCheck> snp_checks(const HostFacts& facts);

/// simulation_checks judges a host for simulated guests: qemu, kernel, accel.
std::vector<HostCheck> simulation_checks(const HostFacts& facts);

/// SnpBoot is what a guest is started from: a kernel, which needs OVMF, or an IGVM file, which needs a QEMU that reads
/// it.
enum class SnpBoot : std::uint8_t { kernel, igvm };

/// missing_for_snp is what keeps this host from starting such a guest; what is unknown does not.
std::vector<HostCheck> missing_for_snp(const HostFacts& facts, SnpBoot boot);

}  // namespace attestbed::vm
