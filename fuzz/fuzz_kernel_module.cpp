// SPDX-License-Identifier: Apache-2.0
// Property: whatever a module's file says, what is read of it are names that are no paths, as many as are allowed, and
// sections that lie within the file.
#include "core/base/bytes.h"
#include "fuzz/must.h"
#include "guest/image/elf.h"
#include "guest/init/module_list.h"

using namespace attestbed;
using namespace attestbed::guest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes file(data, size);
  (void)asks_for_loader(file);
  const Result<Bytes> section = elf_section(file, ".modinfo");
  if (section && !section->empty()) {
    fuzz::must(section->data() >= file.data() && section->size() <= size, "a section begins within the file");
    fuzz::must(static_cast<std::size_t>(section->data() - file.data()) <= size - section->size(), "and ends there");
  }
  const Result<ModuleInfo> info = read_module_info(file);
  if (!info) return 0;
  fuzz::must(section.has_value(), "what is read comes from the section");
  fuzz::must(is_module_name(info->name) && info->depends.size() <= 64, "a name, and few others");
  for (const std::string& name : info->depends) fuzz::must(is_module_name(name), "names");
  return 0;
}
