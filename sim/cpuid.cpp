// SPDX-License-Identifier: Apache-2.0
#include "sim/cpuid.h"

namespace attestbed::sim {
namespace {

constexpr std::uint32_t kLargestFunction = 0x1, kLargestExtendedFunction = 0x8000001f;

// 0x8000001f EAX: SME, SEV, SEV-ES, SEV-SNP, VMPL. EBX: C-bit 51, five address bits fewer, four VMPLs.
constexpr std::uint32_t kEncryption = 1U << 0 | 1U << 1 | 1U << 3 | 1U << 4 | 1U << 5;
constexpr std::uint32_t kEncryptionLayout = 51U | 5U << 6 | 4U << 12;

/// made_by is "AuthenticAMD" as the vendor functions spell it.
CpuidValues made_by(std::uint32_t largest) {
  return {.eax = largest, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65};
}

/// signature is extended family and model above base ones and the stepping.
std::uint32_t signature(const ProductProfile& profile) {
  constexpr std::uint32_t kBaseFamily = 0x0f;
  const std::uint32_t family = profile.cpuid_family, model = profile.cpuid_model;
  return (family - kBaseFamily) << 20 | (model >> 4) << 16 | kBaseFamily << 8 | (model & 0x0f) << 4 |
         profile.cpuid_step;
}

}  // namespace

CpuidValues cpuid(const ProductProfile& profile, std::uint32_t function) {
  switch (function) {
    case 0:
      return made_by(kLargestFunction);
    case 1:
      return {.eax = signature(profile)};
    case 0x80000000:
      return made_by(kLargestExtendedFunction);
    case 0x8000001f:
      return {.eax = kEncryption, .ebx = kEncryptionLayout};
    default:
      return {};
  }
}

}  // namespace attestbed::sim
