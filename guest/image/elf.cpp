// SPDX-License-Identifier: Apache-2.0
#include "guest/image/elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "guest/init/module_list.h"

namespace attestbed::guest {
namespace {

constexpr std::size_t kMaxDepends = 64;

/// part is `size` octets at `offset`; both come from the file.
Result<Bytes> part(Bytes file, std::uint64_t offset, std::uint64_t size, const char* where) {
  if (offset > file.size() || size > file.size() - offset) return Error{Errc::truncated, where, file.size(), offset};
  return file.subspan(offset, size);
}

// The structures are those of the machine that this runs on, x86-64 like the guest; copied, since a file aligns
// nothing.
template <class T>
Result<T> record(Bytes file, std::uint64_t table, std::uint64_t index, const char* where) {
  if (index > file.size() / sizeof(T)) return Error{Errc::truncated, where};
  const std::uint64_t offset = index * sizeof(T);
  if (table > file.size() || offset > file.size() - table) return Error{Errc::truncated, where};
  const Bytes octets = TRY(part(file, table + offset, sizeof(T), where));
  T value;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

Result<Elf64_Ehdr> header_of(Bytes file) {
  const Elf64_Ehdr header = TRY(record<Elf64_Ehdr>(file, 0, 0, "e_ident"));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return Error{Errc::bad_value, "e_ident: no ELF file"};
  const bool ours =
      header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_X86_64;
  if (!ours) return Error{Errc::bad_value, "e_machine: not x86-64", header.e_machine, EM_X86_64};
  return header;
}

std::string_view text_at(Bytes table, std::uint32_t offset) {
  if (offset >= table.size()) return {};
  const std::string_view rest = text_of(table.subspan(offset));
  return rest.substr(0, rest.find('\0'));
}

Result<std::vector<std::string>> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    if (!is_module_name(name) || names.size() == kMaxDepends) return Error{Errc::bad_value, ".modinfo depends"};
    names.emplace_back(name);
  }
  return names;
}

}  // namespace

Result<bool> asks_for_loader(Bytes program) {
  const Elf64_Ehdr header = TRY(header_of(program));
  if (header.e_phentsize != sizeof(Elf64_Phdr))
    return Error{Errc::bad_value, "e_phentsize", header.e_phentsize, sizeof(Elf64_Phdr)};
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr segment = TRY(record<Elf64_Phdr>(program, header.e_phoff, i, "program header"));
    if (segment.p_type == PT_INTERP) return true;
  }
  return false;
}

Result<Bytes> elf_section(Bytes file, std::string_view name) {
  const Elf64_Ehdr header = TRY(header_of(file));
  if (header.e_shentsize != sizeof(Elf64_Shdr))
    return Error{Errc::bad_value, "e_shentsize", header.e_shentsize, sizeof(Elf64_Shdr)};
  const Elf64_Shdr names = TRY(record<Elf64_Shdr>(file, header.e_shoff, header.e_shstrndx, "e_shstrndx"));
  const Bytes texts = TRY(part(file, names.sh_offset, names.sh_size, "section names"));
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr section = TRY(record<Elf64_Shdr>(file, header.e_shoff, i, "section header"));
    if (text_at(texts, section.sh_name) != name || section.sh_type == SHT_NOBITS) continue;
    return part(file, section.sh_offset, section.sh_size, "section");
  }
  return Bytes();
}

Result<ModuleInfo> read_module_info(Bytes module) {
  const Bytes section = TRY(elf_section(module, ".modinfo"));
  std::string_view rest = text_of(section);
  ModuleInfo info;
  bool has_depends = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    constexpr std::string_view kName = "name=", kDepends = "depends=";
    if (line.starts_with(kName)) info.name = line.substr(kName.size());
    if (line.starts_with(kDepends)) {
      info.depends = TRY(names_in(line.substr(kDepends.size())));
      has_depends = true;
    }
  }
  if (!is_module_name(info.name)) return Error{Errc::bad_value, ".modinfo name"};
  if (!has_depends) return Error{Errc::bad_value, ".modinfo has no depends"};
  return info;
}

}  // namespace attestbed::guest
