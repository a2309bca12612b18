// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/launch_image.h"

namespace attestbed::sim {

inline constexpr std::size_t kMaxKernelBytes = std::size_t{1} << 30;
inline constexpr const char* kDefaultVcpuType = "EPYC-v4";

/// OvmfFiles names what a host launches: files, and the settings of QEMU that are measured beside them.
///   ovmf            the firmware
///   kernel, initrd  what is booted without a boot loader; empty = none
///   cmdline         of the kernel
///   vcpu_type       QEMU's name of the processor model; not looked at if vcpu_signature (CPUID 1 EAX) is not zero
///   vmm_type        whose first registers the VMSAs have (vmm_named)
///   guest_features  SEV_FEATURES of the VMSAs
struct OvmfFiles {
  std::string ovmf, kernel, initrd, cmdline;
  unsigned vcpus = 1;
  std::string vcpu_type = kDefaultVcpuType, vmm_type = "QEMU";
  std::uint64_t vcpu_signature = 0, guest_features = 1;
};

/// load_ovmf_launch reads the files and makes of them what is measured. Errors: those of reading a file, of
/// vmm_named and cpu_signature_of, and of ovmf_image.
Outcome<LaunchImage> load_ovmf_launch(const OvmfFiles& files);

}  // namespace attestbed::sim
