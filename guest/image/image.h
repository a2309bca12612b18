// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "guest/init/failure.h"

namespace attestbed::guest {

/// What the two files of an image are called, wherever one is written.
inline constexpr char kImageKernel[] = "bzImage";
inline constexpr char kImageInitramfs[] = "initramfs.zst";

/// AddedFile is a file of the host that the image has at another path; executable there if it is here.
struct AddedFile {
  std::string host, guest;
};

/// ImageRequest is what an image is made of.
///   kernel  a kernel, or the tree of its package, which then has the modules, too
///   guest   attest-guest, linked statically: /init
///   device  snp-sim-device, linked statically; empty: no simulation in this image, nor what it needs, and a kernel
///           package must have the driver sev-guest
///   config  guest.conf; empty: none
struct ImageRequest {
  std::string kernel, guest, device, config;
  std::vector<AddedFile> added;
};

/// ImageInput is a file that went in: what for (its path in the image, or "kernel"), whence, and its digest.
struct ImageInput {
  std::string role, path;
  std::size_t octets = 0;
  std::string sha256;
};

/// Image is a kernel and the initramfs for it.
///   initramfs  zstd-compressed; `unpacked` octets before
///   lacking    what this image cannot do for want of a module; for people
struct Image {
  std::string kernel, initramfs;
  std::string release;
  std::size_t unpacked = 0;
  std::string kernel_sha256, initramfs_sha256;
  std::vector<ImageInput> inputs;
  std::vector<std::string> lacking;
};

/// build_image reads everything and makes the image in memory. The same files give the same octets, wherever they lie.
///   errors  io_failed: a file that is not there or cannot be read, the kernel among them; too_large; bad_config: no
///           Linux kernel for x86, a tree that is no kernel package, a program that is not static, a configuration that
///           the guest would refuse, two files for one path, neither simulation nor sev-guest; others of files that are
///           malformed
Outcome<Image> build_image(const ImageRequest& request);

}  // namespace attestbed::guest
