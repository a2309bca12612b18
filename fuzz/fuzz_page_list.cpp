// SPDX-License-Identifier: Apache-2.0
// Property: a page list that parses reads the same from its printed form, entry by entry, and says nothing that its
// types have no use for; one that does not parse is refused with its line, in printable characters.
#include <algorithm>

#include "fuzz/must.h"
#include "sim/page_list.h"

using namespace attestbed;
using namespace attestbed::sim;

namespace {

bool same(const PageListEntry& a, const PageListEntry& b) {
  return a.type == b.type && a.gpa == b.gpa && a.pages == b.pages && a.permissions == b.permissions &&
         a.large == b.large && a.file == b.file && a.file_offset == b.file_offset && a.repeat == b.repeat &&
         a.vmsa == b.vmsa;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(Bytes(data, size));
  const auto entries = parse_page_list(text, "list");
  if (!entries) {
    const std::string& why = entries.error().text;
    fuzz::must(why.starts_with("list: "), "an error names the list");
    fuzz::must(std::ranges::all_of(why, [](char c) { return c >= ' ' && c <= '~'; }), "an error is printable");
    return 0;
  }
  const auto again = parse_page_list(page_list_text(*entries), "printed");
  fuzz::must(again.has_value(), "a printed list parses");
  fuzz::must(std::ranges::equal(*entries, *again, same), "a printed list reads the same");
  for (const PageListEntry& each : *entries) {
    fuzz::must(each.repeat.empty() || 4096 % each.repeat.size() == 0, "a repetition fills a page");
    fuzz::must(each.pages.value_or(1) >= 1 && each.pages.value_or(1) <= kMaxImagePages, "pages are bounded");
    fuzz::must(!each.vmsa || each.type == PageType::vmsa, "only a VMSA has registers");
  }
  return 0;
}
