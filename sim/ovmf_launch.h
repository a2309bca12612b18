// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/kernel_hashes.h"
#include "sim/launch_image.h"
#include "sim/ovmf.h"
#include "sim/vmsa.h"

namespace attestbed::sim {

inline constexpr unsigned kMaxVcpus = 4096;

/// OvmfLaunch is how a host launches a firmware.
///   cpu     registers of all processors; the first begins at the reset vector, the others where the firmware says
///   direct  the kernel that the host boots without a boot loader, if it does
struct OvmfLaunch {
  unsigned vcpus = 1;
  VmsaState cpu;
  std::optional<DirectKernel> direct;
};

/// ovmf_image is what is measured of such a launch: the firmware, loaded to end at 4 GiB, the sections of its metadata,
/// one VMSA per processor (as QEMU launches, and sev-snp-measure reckons).
///   errors  image_malformed; kernel_hashes_missing if there is a kernel and the firmware has no place for its hashes:
///           the kernel would be unmeasured, so nobody should believe the digest; bad_config for other than 1 to
///           kMaxVcpus processors
Outcome<LaunchImage> ovmf_image(const ImageFile& file, const OvmfLaunch& launch);

}  // namespace attestbed::sim
