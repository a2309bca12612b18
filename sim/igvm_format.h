// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of IGVM's layout that a measurement needs, as the crate igvm_defs publishes it. Inside sim/igvm* only.
#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/wire.h"
#include "sim/image_file.h"

namespace attestbed::sim::igvm {

struct FixedHeader {
  ByteArray<4> magic;  // "IGVM"
  le32 format_version;
  le32 variable_header_offset;
  le32 variable_header_size;
  le32 total_file_size;
  le32 checksum;  // of fixed and variable header, itself counted as zero
};
inline constexpr std::uint64_t kChecksumOffset = 20;
static_assert(sizeof(FixedHeader) == 24 && offsetof(FixedHeader, checksum) == kChecksumOffset);

/// read_fixed_header reads and judges it, checksum included. Errors: image_malformed.
Outcome<FixedHeader> read_fixed_header(const ImageFile& file);

struct FixedHeaderV2Tail {
  le32 architecture;
  le32 page_size;
};

/// StructureHeader begins every structure, at a multiple of 8; `length` counts neither itself nor the padding.
struct StructureHeader {
  le32 type;
  le32 length;
};
inline constexpr std::uint32_t kMayBeIgnored = 1U << 31;

inline constexpr std::uint8_t kPlatformSevSnp = 2;
struct SupportedPlatform {
  le32 compatibility_mask;
  std::uint8_t highest_vtl;
  std::uint8_t platform_type;
  le16 platform_version;
  le64 shared_gpa_boundary;
};

struct ParameterAreaStructure {
  le64 number_of_bytes;
  le32 parameter_area_index;
  le32 file_offset;
};
inline constexpr std::size_t kMaxParameterAreas = 256;

inline constexpr std::uint32_t kFlagLarge = 1, kFlagUnmeasured = 2, kFlagShared = 4;
inline constexpr std::uint16_t kDataNormal = 0, kDataSecrets = 1, kDataCpuid = 2, kDataCpuidXf = 3;
struct PageDataStructure {
  le64 gpa;
  le32 compatibility_mask;
  le32 file_offset;  // 0: zeros
  le32 flags;
  le16 data_type;
  le16 reserved;
};

struct ParameterInsertStructure {
  le64 gpa;
  le32 compatibility_mask;
  le32 parameter_area_index;
};

struct VpContextStructure {
  le64 gpa;
  le32 compatibility_mask;
  le32 file_offset;
  le16 vp_index;
  le16 reserved;
};

inline constexpr std::uint32_t kSupportedPlatform = 0x001, kParameterArea = 0x301, kPageData = 0x302,
                               kParameterInsert = 0x303, kVpContext = 0x304;

struct KnownStructure {
  std::uint32_t type;
  std::uint32_t length;
  const char* name;
};
inline constexpr KnownStructure kKnownStructures[] = {
    {kSupportedPlatform, sizeof(SupportedPlatform), "SUPPORTED_PLATFORM"},
    {0x101, 16, "GUEST_POLICY"},
    {0x102, 48, "RELOCATABLE_REGION"},
    {0x103, 32, "PAGE_TABLE_RELOCATION_REGION"},
    {kParameterArea, sizeof(ParameterAreaStructure), "PARAMETER_AREA"},
    {kPageData, sizeof(PageDataStructure), "PAGE_DATA"},
    {kParameterInsert, sizeof(ParameterInsertStructure), "PARAMETER_INSERT"},
    {kVpContext, sizeof(VpContextStructure), "VP_CONTEXT"},
    {0x305, 24, "REQUIRED_MEMORY"},
    {0x307, 8, "VP_COUNT_PARAMETER"},
    {0x308, 8, "SRAT"},
    {0x309, 8, "MADT"},
    {0x30a, 8, "MMIO_RANGES"},
    {0x30b, 696, "SNP_ID_BLOCK"},
    {0x30c, 8, "MEMORY_MAP"},
    {0x30d, 16, "ERROR_RANGE"},
    {0x30e, 8, "COMMAND_LINE"},
    {0x30f, 8, "SLIT"},
    {0x310, 8, "PPTT"},
    {0x311, 864, "VBS_MEASUREMENT"},
    {0x312, 8, "DEVICE_TREE"},
    {0x313, 8, "ENVIRONMENT_INFO_PARAMETER"},
};
static_assert(sizeof(SupportedPlatform) == 16 && sizeof(ParameterAreaStructure) == 16);
static_assert(sizeof(PageDataStructure) == 24 && sizeof(ParameterInsertStructure) == 16);
static_assert(sizeof(VpContextStructure) == 20 && alignof(VpContextStructure) == 1);

/// known_structure is null for a type that igvm_defs does not have.
inline const KnownStructure* known_structure(std::uint32_t type) {
  const auto found = std::ranges::find(kKnownStructures, type, &KnownStructure::type);
  return found == std::end(kKnownStructures) ? nullptr : found;
}

}  // namespace attestbed::sim::igvm
