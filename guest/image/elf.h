// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::guest {

/// asks_for_loader tells whether a program (ELF-64, x86-64) has a PT_INTERP segment: one that has does not run where no
/// dynamic loader is. Errors: bad_value with the field, truncated.
Result<bool> asks_for_loader(Bytes program);

/// elf_section is the contents of the section of this name of an ELF-64 file for x86-64, a view into it.
/// Errors: bad_value with the field, truncated. A section that is not there is empty.
Result<Bytes> elf_section(Bytes file, std::string_view name);

/// ModuleInfo is what a kernel module says of itself in .modinfo: its name, and the modules that it needs before it.
struct ModuleInfo {
  std::string name;
  std::vector<std::string> depends;
};

/// read_module_info reads a module. Names are is_module_name(), and at most 64 are named.
/// Errors: those of elf_section; bad_value: no name, no `depends=`, or one that is no list of names.
Result<ModuleInfo> read_module_info(Bytes module);

}  // namespace attestbed::guest
