// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/launch_image.h"
#include "sim/vmsa.h"

namespace attestbed::sim {

// A page list says in text what a host adds to a guest, a line per region, in the order of measuring:
//
//   # what follows a hash sign is a comment
//   normal     0xffc00000      file=code.bin offset=0x1000 pages=4
//   normal     0x1000          repeat=00ff
//   zero       0x800000        pages=2
//   secrets    0x80d000
//   cpuid      0x80e000
//   unmeasured 0x90000         vmpl1=0xf vmpl2=0x5 vmpl3=0x1
//   zero       0x40000000      pages=512 large
//   vmsa       0xfffffffff000  eip=0x80b004 cpu=0xa00f11 features=0x21 vmm=QEMU
//   vmsa       0xfffffffff000  file=vmsa.bin
//
// Type and GPA come first. Numbers are decimal, or hexadecimal after 0x. A normal page without file= or repeat= is
// zeros. file= is relative to the list's directory; without pages= it is taken whole. repeat= fills each page with
// these octets over and over; they must divide 4096. A VMSA comes from a file, or is the one that the VMM makes (vmm=,
// by default QEMU). No option comes twice in a line. A list has 1 GiB of pages at most, 256 MiB of them with content.

/// PageListEntry is one line.
struct PageListEntry {
  PageType type = PageType::normal;
  std::uint64_t gpa = 0;
  std::optional<std::uint64_t> pages;
  PagePermissions permissions{};
  bool large = false;
  std::string file;
  std::uint64_t file_offset = 0;
  std::vector<std::uint8_t> repeat;
  std::optional<VmsaState> vmsa;
  std::size_t line = 0;
};

inline constexpr std::size_t kMaxPageListBytes = 1 << 20;
inline constexpr std::size_t kMaxPageFileBytes = std::size_t{256} << 20;

/// parse_page_list reads a list without touching the files that it names. Errors: image_malformed with name, line,
/// field, expected and found; too_large.
Outcome<std::vector<PageListEntry>> parse_page_list(std::string_view text, const std::string& name);

/// page_list_text writes entries so that parse_page_list reads the same.
std::string page_list_text(const std::vector<PageListEntry>& entries);

/// load_page_list reads a list and its files. Errors: those of parse_page_list; io_failed; too_large;
/// image_malformed if a file has fewer octets than its line needs, or ends within a page.
Outcome<LaunchImage> load_page_list(const std::string& path);

}  // namespace attestbed::sim
