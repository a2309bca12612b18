// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "sim/launch.h"

namespace attestbed::sim {

/// VmsaState is what of a virtual CPU's first state differs between CPUs and machines; the rest is what QEMU sets up
/// (facts/snp-firmware 5.5).
struct VmsaState {
  std::uint32_t eip = 0xfffffff0;          // boot CPU: the reset vector
  std::uint64_t cpu_signature = 0x800f12;  // RDX: family, model, stepping of QEMU's EPYC-v4
  std::uint64_t sev_features = 1;          // SNPActive
};

/// vmsa_page lays out a VMSA for measuring.
snp::Page vmsa_page(const VmsaState& state);

/// synthetic_image is the guest that snp-sim launches when nobody brings one: code pages derived from `label`, then
/// zeroed, secrets and CPUID pages and one CPU. The same label gives the same measurement, another label another.
/// Errors: internal.
Result<std::vector<LaunchPage>> synthetic_image(std::string_view label);

/// measure is the launch digest of `pages`. Errors: those of LaunchDigest::update.
Result<snp::Measurement> measure(const std::vector<LaunchPage>& pages);

}  // namespace attestbed::sim
