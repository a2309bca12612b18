// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/image_file.h"
#include "sim/launch_image.h"

namespace attestbed::sim {

inline constexpr std::uint64_t kMaxIgvmBytes = 256ULL << 20;

/// igvm_image is what is measured of an IGVM file's guest on SEV-SNP, in the order of the file's directives:
///
///   PAGE_DATA         normal (no data in the file: a page of zeros, still normal), secrets, CPUID_DATA and CPUID_XF;
///                     flag unmeasured: an unmeasured page; flag shared: nothing, the page stays the host's
///   PARAMETER_INSERT  unmeasured pages
///   VP_CONTEXT        a VMSA, at the file's own GPA
///
/// and nothing of the other directives. Directives for other platforms are skipped, each structure has its exact
/// length, a structure of an unknown type is an error unless its type says that it may be ignored (bit 31). Format
/// versions 1, and 2 for x86-64 with pages of 4 KiB.
///
/// Sources: the format is that of the crate igvm_defs (structures, section order, checksum); which page type each
/// directive becomes is what SVSM's igvmmeasure does (of coconut-svsm). Two things are this model's reading:
/// the variable header follows the fixed one immediately, which is the only case in which what the checksum covers is
/// unambiguous, and version 2 is a draft that may still change.
///
/// Errors: image_malformed, with file, offset, field, expected and found; too_large.
Outcome<LaunchImage> igvm_image(const ImageFile& file);

/// igvm_checksum is CRC-32 (IEEE 802.3), which IGVM uses, of the concatenation of `parts`.
std::uint32_t igvm_checksum(std::initializer_list<Bytes> parts);

}  // namespace attestbed::sim
