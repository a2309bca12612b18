// SPDX-License-Identifier: Apache-2.0
// The harness is an honest maker of files: it puts the right size and checksum into the input's header.
// Property: what is measured of a file that loads lies on page boundaries and within bounds; every normal page and VMSA
// stands in the file as it is measured, or is zeros; the same file without the right checksum does not load.
#include <algorithm>
#include <vector>

#include "core/base/wire.h"
#include "fuzz/must.h"
#include "sim/igvm.h"

using namespace attestbed;
using namespace attestbed::sim;

namespace {

constexpr std::size_t kSizeOffset = 16, kChecksumOffset = 20, kVariableSizeOffset = 12, kVersionOffset = 4;

std::uint32_t number_at(Bytes octets, std::size_t offset) {
  return *Reader(octets.subspan(offset)).copy<le32>("number");
}

void put(std::vector<std::uint8_t>& octets, std::size_t offset, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) octets[offset + i] = static_cast<std::uint8_t>(number >> (8 * i));
}

void check_region(Bytes file, const LaunchRegion& region) {
  fuzz::must(region.gpa % (region.large ? 0x200000 : 0x1000) == 0, "a GPA is page-aligned");
  const bool has_content = region.type == PageType::normal || region.type == PageType::vmsa;
  fuzz::must(region.content.size() == (has_content ? region.pages * 0x1000 : 0), "content has its pages' size");
  if (!has_content) return;
  const bool zero = std::ranges::all_of(region.content, [](std::uint8_t octet) { return octet == 0; });
  const bool stands = std::search(file.begin(), file.end(), region.content.begin(), region.content.end()) != file.end();
  fuzz::must(zero || stands, "a measured page stands in the file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file(data, data + size);
  const std::size_t header = size > 8 && number_at(file, kVersionOffset) == 2 ? 32 : 24;
  if (size < header) {
    fuzz::must(!igvm_image(ImageFile("input", file)), "a file that is shorter than its header does not load");
    return 0;
  }
  put(file, kSizeOffset, static_cast<std::uint32_t>(size));
  put(file, kChecksumOffset, 0);
  const std::size_t covered = std::min<std::size_t>(size - header, number_at(file, kVariableSizeOffset)) + header;
  const std::uint32_t checksum = igvm_checksum({Bytes(file).first(covered)});
  put(file, kChecksumOffset, checksum);

  const Outcome<LaunchImage> image = igvm_image(ImageFile("input", file));
  if (!image) {
    fuzz::must(image.error().text.starts_with("input: offset 0x"), "an error names file and offset");
    return 0;
  }
  std::uint64_t pages = 0;
  for (const LaunchRegion& region : *image) {
    check_region(file, region);
    pages += region.pages;
  }
  fuzz::must(pages <= kMaxImagePages, "the pages are bounded");
  put(file, kChecksumOffset, checksum ^ 1);
  fuzz::must(!igvm_image(ImageFile("input", file)), "a wrong checksum is refused");
  return 0;
}
