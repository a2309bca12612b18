// SPDX-License-Identifier: Apache-2.0
// Property: a firmware's SEV metadata that parses stands in the file as it was read, header and items in one piece; its
// sections are whole pages, apart from each other and from the firmware; and the launch measures the firmware, these
// sections and one VMSA per processor, nothing else.
#include <algorithm>
#include <vector>

#include "core/base/wire.h"
#include "fuzz/must.h"
#include "sim/ovmf_launch.h"

using namespace attestbed;
using namespace attestbed::sim;

namespace {

void append(std::vector<std::uint8_t>& to, std::uint64_t number) {
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<std::uint8_t>(number >> shift));
}

void check_octets(Bytes file, const std::vector<OvmfSection>& sections) {
  std::vector<std::uint8_t> written = {'A', 'S', 'E', 'V'};
  append(written, 16 + 12 * sections.size());
  append(written, 1);
  append(written, sections.size());
  for (const OvmfSection& each : sections) {
    append(written, each.gpa);
    append(written, each.size);
    append(written, static_cast<std::uint32_t>(each.type));
  }
  fuzz::must(std::search(file.begin(), file.end(), written.begin(), written.end()) != file.end(),
             "the metadata stands in the file");
}

void check_places(Bytes file, std::vector<OvmfSection> sections) {
  std::ranges::sort(sections, {}, &OvmfSection::gpa);
  std::uint64_t end = 0;
  for (const OvmfSection& each : sections) {
    fuzz::must(each.gpa % 0x1000 == 0 && each.size % 0x1000 == 0 && each.size > 0, "sections are whole pages");
    fuzz::must(each.gpa >= end, "sections are apart");
    end = each.gpa + each.size;
  }
  fuzz::must(end <= (1ULL << 32) - file.size(), "sections are below the firmware");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const ImageFile file("input", input);
  const Outcome<Ovmf> ovmf = parse_ovmf(file);
  const DirectKernel direct{bytes_of("kernel"), {}, "console"};
  const Outcome<LaunchImage> plain = ovmf_image(file, {2, {}, {}}), booted = ovmf_image(file, {1, {}, direct});
  if (!ovmf) {
    fuzz::must(!plain && !booted, "what does not parse is not launched");
    fuzz::must(ovmf.error().text.starts_with("input: offset 0x"), "an error names file and offset");
    return 0;
  }
  check_octets(input, ovmf->sections);
  check_places(input, ovmf->sections);
  fuzz::must(plain.has_value() == ovmf->ap_eip.has_value(), "a second processor needs a place to begin");
  if (booted) {
    fuzz::must(ovmf->hash_table_gpa.has_value(), "a kernel needs a hash table");
    fuzz::must(booted->size() == 1 + ovmf->sections.size() + 1, "each section is measured once");
  }
  if (!plain) return 0;
  std::uint64_t pages = 0, expected = size / 0x1000 + 2;
  for (const LaunchRegion& each : *plain) pages += each.pages;
  for (const OvmfSection& each : ovmf->sections) expected += each.size / 0x1000;
  fuzz::must(pages == expected, "all pages are measured, and no others");
  return 0;
}
