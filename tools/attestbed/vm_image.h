// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/launch/failure.h"

namespace attestbed::tools {

/// BootFiles is what QEMU boots.
///   release  of the kernel; empty if it is not known
struct BootFiles {
  std::string kernel, initramfs, release;
  std::size_t kernel_octets = 0, initramfs_octets = 0;
};

/// ready_image takes the two files that `attestbed image --out DIR` wrote.
launch::Outcome<BootFiles> ready_image(const std::string& directory);

/// make_image builds an image for simulation from this build's programs and writes it into `folder`.
///   kernel  a kernel or the tree of its package; empty: the one that `./run kernel` fetched
///   added   further files, HOST=GUEST
launch::Outcome<BootFiles> make_image(const std::string& kernel, const std::vector<std::string>& added,
                                      const std::string& folder);

}  // namespace attestbed::tools
