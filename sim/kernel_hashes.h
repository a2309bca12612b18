// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::sim {

/// DirectKernel is what a host boots without a boot loader.
///   initrd   empty if there is none
///   cmdline  without its terminating zero octet
struct DirectKernel {
  Bytes kernel, initrd;
  std::string cmdline;
};

using KernelHashes = ByteArray<176>;

/// kernel_hashes is the table that the firmware compares kernel, initrd and command line with: a GUIDed header and
/// three entries, 168 octets, zero up to the next multiple of 16 (QEMU's SevHashTable in target/i386/sev.c). The
/// command line is hashed with its terminating zero octet, so an empty one is a single zero octet; no initrd is the
/// SHA-256 of nothing. Errors: internal.
Result<KernelHashes> kernel_hashes(const DirectKernel& direct);

}  // namespace attestbed::sim
