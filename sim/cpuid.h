// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/product_profile.h"

namespace attestbed::sim {

/// CpuidValues is what the CPUID instruction leaves in its four registers.
struct CpuidValues {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  friend bool operator==(const CpuidValues&, const CpuidValues&) = default;
};

/// cpuid is the simulated processor's answer for a function number: who made it, family, model and stepping, and what
/// memory encryption it has (APM volume 3: 0x0, 0x1, 0x8000'0000, 0x8000'001f). Of all others it says what a processor
/// says of functions that it does not have: zeros.
CpuidValues cpuid(const ProductProfile& profile, std::uint32_t function);

}  // namespace attestbed::sim
