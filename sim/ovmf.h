// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "sim/image_file.h"

namespace attestbed::sim {

/// OvmfSectionType is what a section of OVMF's SEV metadata is for (OvmfPkg/ResetVector).
enum class OvmfSectionType : std::uint32_t {
  sec_mem = 1,
  secrets = 2,
  cpuid = 3,
  svsm_caa = 4,
  kernel_hashes = 0x10,
};
const char* section_name(OvmfSectionType type);  // "SNP_SEC_MEM", …

struct OvmfSection {
  OvmfSectionType type = OvmfSectionType::sec_mem;
  std::uint64_t gpa = 0;
  std::uint64_t size = 0;
};

/// Ovmf is what a launch needs to know of a firmware volume: all from the table of GUIDed entries that ends 32 octets
/// before the file does.
///   sections          in the order in which they are measured
///   ap_eip            where processors but the first begin
///   hash_table_gpa    where the firmware looks for the hashes of a kernel that the host boots directly
struct Ovmf {
  std::vector<OvmfSection> sections;
  std::optional<std::uint32_t> ap_eip;
  std::optional<std::uint32_t> hash_table_gpa;
};

inline constexpr std::uint64_t kMaxOvmfBytes = 64ULL << 20;

/// parse_ovmf reads the table and the SEV metadata. Refused besides what does not fit its place: a file that is empty,
/// no multiple of 4 KiB or above kMaxOvmfBytes; no SEV metadata; an entry that is there twice; a section of an unknown
/// type, of no or part of a page, that overlaps another or the firmware itself, or that must be one page and is not.
/// Errors: image_malformed.
Outcome<Ovmf> parse_ovmf(const ImageFile& file);

}  // namespace attestbed::sim
