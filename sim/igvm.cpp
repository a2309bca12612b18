// SPDX-License-Identifier: Apache-2.0
#include "sim/igvm.h"

#include <algorithm>

#include "core/base/wire.h"
#include "sim/igvm_format.h"

namespace attestbed::sim {
namespace {

using namespace igvm;

enum class Section { platform, initialization, directive, none };

Section section_of(std::uint32_t type) {
  if (type >= 0x001 && type <= 0x100) return Section::platform;
  if (type >= 0x101 && type <= 0x200) return Section::initialization;
  if (type >= 0x301 && type <= 0x400) return Section::directive;
  return Section::none;
}

/// Structure is one element of the variable header: where its contents lie.
struct Structure {
  std::uint32_t type = 0;
  std::uint64_t offset = 0, length = 0;
};

/// ParameterArea is declared once and inserted at most once.
struct ParameterArea {
  std::uint32_t index = 0;
  std::uint64_t pages = 0;
  bool inserted = false;
};

/// Loader walks the structures of one file.
class Loader {
 public:
  explicit Loader(const ImageFile& file) : file_(file) {}
  Outcome<LaunchImage> load();

 private:
  Outcome<Structure> next(std::uint64_t& at, std::uint64_t end) const;
  Outcome<void> check_type(const Structure& structure);
  Outcome<void> take(const Structure& structure);
  Outcome<void> platform(std::uint64_t at);
  Outcome<void> parameter_area(std::uint64_t at);
  Outcome<void> parameter_insert(std::uint64_t at);
  Outcome<void> page_data(std::uint64_t at);
  Outcome<void> vp_context(std::uint64_t at);

  /// is_ours holds for a structure whose mask includes SEV-SNP's.
  Outcome<bool> is_ours(std::uint64_t at, std::uint32_t mask) const;
  Outcome<Bytes> data_at(std::uint64_t field, std::uint32_t offset, std::uint64_t size) const;
  Outcome<void> add(std::uint64_t field, LaunchRegion region);

  const ImageFile& file_;
  std::uint64_t data_begin_ = 0;
  Section section_ = Section::platform;
  std::uint32_t all_masks_ = 0, snp_mask_ = 0;
  std::uint64_t pages_left_ = kMaxImagePages;
  std::vector<ParameterArea> areas_;
  LaunchImage image_;
};

Outcome<LaunchImage> Loader::load() {
  if (file_.size() > kMaxIgvmBytes) {
    return Failure{Errc::too_large, file_.name() + ": expected at most " + std::to_string(kMaxIgvmBytes) +
                                        " octets, found " + std::to_string(file_.size())};
  }
  const FixedHeader header = TRY(read_fixed_header(file_));
  std::uint64_t at = header.variable_header_offset;
  data_begin_ = at + header.variable_header_size;
  while (at < data_begin_) {
    const Structure structure = TRY(next(at, data_begin_));
    TRY(check_type(structure));
    TRY(take(structure));
  }
  if (snp_mask_ == 0) return file_.malformed(data_begin_, "supported platforms", "one for SEV-SNP", "none");
  return std::move(image_);
}

Outcome<Structure> Loader::next(std::uint64_t& at, std::uint64_t end) const {
  const auto header = TRY(file_.copy<StructureHeader>(at, "structure header"));
  const std::uint64_t padded = (std::uint64_t{header.length} + 7) / 8 * 8;
  if (end - at < sizeof header || padded > end - at - sizeof header) {
    return file_.malformed(at + 4, "structure length",
                           "one inside the variable header, which ends at " + hex_number(end),
                           std::to_string(header.length));
  }
  const Structure structure{header.type, at + sizeof header, header.length};
  const Bytes padding = TRY(file_.slice(structure.offset + header.length, padded - header.length, "structure padding"));
  if (std::ranges::any_of(padding, [](std::uint8_t octet) { return octet != 0; })) {
    return file_.malformed(structure.offset + header.length, "structure padding", "zero octets", "others");
  }
  at += sizeof header + padded;
  return structure;
}

Outcome<void> Loader::check_type(const Structure& structure) {
  const std::uint64_t at = structure.offset - sizeof(StructureHeader);
  const KnownStructure* known = known_structure(structure.type);
  if (known == nullptr && (structure.type & kMayBeIgnored) != 0) return {};
  if (known == nullptr) {
    return file_.malformed(at, "structure type", "one of IGVM's, or one that may be ignored (bit 31)",
                           hex_number(structure.type));
  }
  const Section section = section_of(structure.type);
  if (section < section_) {
    return file_.malformed(at, "structure order", "platforms, then initialization, then directives",
                           std::string(known->name) + " too late");
  }
  section_ = section;
  if (structure.length != known->length) {
    return file_.malformed(at + 4, std::string(known->name) + " length", std::to_string(known->length),
                           std::to_string(structure.length));
  }
  return {};
}

Outcome<void> Loader::take(const Structure& structure) {
  switch (structure.type) {
    case kSupportedPlatform:
      return platform(structure.offset);
    case kParameterArea:
      return parameter_area(structure.offset);
    case kParameterInsert:
      return parameter_insert(structure.offset);
    case kPageData:
      return page_data(structure.offset);
    case kVpContext:
      return vp_context(structure.offset);
    default:
      return {};  // not measured
  }
}

Outcome<void> Loader::platform(std::uint64_t at) {
  const auto given = TRY(file_.copy<SupportedPlatform>(at, "SUPPORTED_PLATFORM"));
  const std::uint32_t mask = given.compatibility_mask;
  if (mask == 0 || (mask & (mask - 1)) != 0 || (mask & all_masks_) != 0) {
    return file_.malformed(at, "SUPPORTED_PLATFORM compatibility mask", "one bit that no other platform has",
                           hex_number(mask));
  }
  all_masks_ |= mask;
  if (given.platform_type != kPlatformSevSnp) return {};
  if (snp_mask_ != 0) return file_.malformed(at + 5, "SUPPORTED_PLATFORM type", "SEV-SNP once", "a second time");
  if (given.platform_version != 1) {
    return file_.malformed(at + 6, "SUPPORTED_PLATFORM version", "1", std::to_string(given.platform_version));
  }
  snp_mask_ = mask;
  return {};
}

Outcome<bool> Loader::is_ours(std::uint64_t at, std::uint32_t mask) const {
  if (mask == 0 || (mask & ~all_masks_) != 0) {
    return file_.malformed(at, "compatibility mask", "bits of the platforms " + hex_number(all_masks_),
                           hex_number(mask));
  }
  return (mask & snp_mask_) != 0;
}

Outcome<Bytes> Loader::data_at(std::uint64_t field, std::uint32_t offset, std::uint64_t size) const {
  if (offset < data_begin_) {
    return file_.malformed(field, "file offset", "one behind the variable header, from " + hex_number(data_begin_),
                           hex_number(offset));
  }
  return file_.slice(offset, size, "file data");
}

Outcome<void> Loader::add(std::uint64_t field, LaunchRegion region) {
  const std::uint64_t page_bytes = region.large ? kLargePageBytes : snp::kPageBytes;
  if (region.gpa % page_bytes != 0) {
    return file_.malformed(field, "GPA", "a multiple of " + hex_number(page_bytes), hex_number(region.gpa));
  }
  if (region.pages > pages_left_) {
    return Failure{Errc::too_large, file_.name() + ": offset " + hex_number(field) + ": expected at most " +
                                        std::to_string(kMaxImagePages) + " pages in all, found more"};
  }
  pages_left_ -= region.pages;
  image_.push_back(std::move(region));
  return {};
}

Outcome<void> Loader::parameter_area(std::uint64_t at) {
  const auto given = TRY(file_.copy<ParameterAreaStructure>(at, "PARAMETER_AREA"));
  const std::uint64_t bytes = given.number_of_bytes;
  if (bytes == 0 || bytes % snp::kPageBytes != 0 || bytes / snp::kPageBytes > kMaxImagePages) {
    return file_.malformed(at, "PARAMETER_AREA size",
                           "a multiple of 0x1000 up to " + hex_number(kMaxImagePages * snp::kPageBytes),
                           hex_number(bytes));
  }
  const std::uint32_t index = given.parameter_area_index;
  if (std::ranges::any_of(areas_, [index](const ParameterArea& area) { return area.index == index; })) {
    return file_.malformed(at + 8, "PARAMETER_AREA index", "one that is new", std::to_string(index));
  }
  if (areas_.size() == kMaxParameterAreas) {
    return file_.malformed(at, "PARAMETER_AREA", "at most " + std::to_string(kMaxParameterAreas), "more");
  }
  areas_.push_back({index, bytes / snp::kPageBytes, false});
  return {};
}

Outcome<void> Loader::parameter_insert(std::uint64_t at) {
  const auto given = TRY(file_.copy<ParameterInsertStructure>(at, "PARAMETER_INSERT"));
  const bool ours = TRY(is_ours(at + 8, given.compatibility_mask));
  if (!ours) return {};
  const std::uint32_t index = given.parameter_area_index;
  const auto area = std::ranges::find_if(areas_, [index](const ParameterArea& each) { return each.index == index; });
  if (area == areas_.end() || area->inserted) {
    return file_.malformed(at + 12, "PARAMETER_INSERT index", "a PARAMETER_AREA before it, not yet inserted",
                           std::to_string(index));
  }
  area->inserted = true;
  return add(at, {PageType::unmeasured, given.gpa, area->pages, {}, {}, false, "parameters " + std::to_string(index)});
}

Outcome<void> Loader::page_data(std::uint64_t at) {
  const auto given = TRY(file_.copy<PageDataStructure>(at, "PAGE_DATA"));
  const bool ours = TRY(is_ours(at + 8, given.compatibility_mask));
  const std::uint32_t flags = given.flags;
  if ((flags & ~(kFlagLarge | kFlagUnmeasured | kFlagShared)) != 0) {
    return file_.malformed(at + 16, "PAGE_DATA flags", "bits 0 to 2", hex_number(flags));
  }
  if (given.data_type > kDataCpuidXf) {
    return file_.malformed(at + 20, "PAGE_DATA type", "0 to 3", std::to_string(given.data_type));
  }
  if (given.reserved != 0) return file_.malformed(at + 22, "PAGE_DATA reserved", "0", hex_number(given.reserved));
  if (!ours || (flags & kFlagShared) != 0) return {};

  const bool large = (flags & kFlagLarge) != 0;
  const std::uint64_t pages = large ? kLargePageBytes / snp::kPageBytes : 1;
  LaunchRegion region{PageType::normal, given.gpa, pages, {}, {}, large, "page data"};
  if (given.data_type == kDataSecrets) region.type = PageType::secrets;
  if (given.data_type == kDataCpuid || given.data_type == kDataCpuidXf) region.type = PageType::cpuid;
  if (given.data_type == kDataNormal && (flags & kFlagUnmeasured) != 0) region.type = PageType::unmeasured;
  if (region.type == PageType::normal && pages > pages_left_) return add(at, std::move(region));
  if (given.file_offset != 0) {
    const Bytes data = TRY(data_at(at + 12, given.file_offset, pages * snp::kPageBytes));
    if (region.type == PageType::normal) region.content.assign(data.begin(), data.end());
  } else if (region.type == PageType::normal) {
    region.content.resize(pages * snp::kPageBytes);
  }
  return add(at, std::move(region));
}

Outcome<void> Loader::vp_context(std::uint64_t at) {
  const auto given = TRY(file_.copy<VpContextStructure>(at, "VP_CONTEXT"));
  const bool ours = TRY(is_ours(at + 8, given.compatibility_mask));
  if (given.reserved != 0) return file_.malformed(at + 18, "VP_CONTEXT reserved", "0", hex_number(given.reserved));
  if (!ours) return {};
  const Bytes vmsa = TRY(data_at(at + 12, given.file_offset, snp::kPageBytes));
  LaunchRegion region{PageType::vmsa, given.gpa, 1, {}, {}, false, "VMSA of CPU " + std::to_string(given.vp_index)};
  region.content.assign(vmsa.begin(), vmsa.end());
  return add(at, std::move(region));
}

}  // namespace

Outcome<LaunchImage> igvm_image(const ImageFile& file) {
  return Loader(file).load();
}

}  // namespace attestbed::sim
