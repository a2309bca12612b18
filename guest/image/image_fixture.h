// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace attestbed::guest {

template <class T>
std::string octets_of_record(const T& record) {
  std::string octets(sizeof record, '\0');
  std::memcpy(octets.data(), &record, sizeof record);
  return octets;
}

inline Elf64_Ehdr elf_header(std::uint16_t type) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = type;
  header.e_machine = EM_X86_64;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  return header;
}

/// elf_module is a kernel module as far as anybody reads it here: the sections .modinfo and .shstrtab.
inline std::string elf_module(const std::string& modinfo) {
  const std::string names("\0.modinfo\0.shstrtab\0", 20);
  Elf64_Ehdr header = elf_header(ET_REL);
  Elf64_Shdr none{}, info{}, texts{};
  info.sh_name = 1;
  info.sh_type = texts.sh_type = SHT_PROGBITS;
  info.sh_offset = sizeof header;
  info.sh_size = modinfo.size();
  texts.sh_name = 10;
  texts.sh_offset = info.sh_offset + info.sh_size;
  texts.sh_size = names.size();
  header.e_shoff = texts.sh_offset + texts.sh_size;
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  return octets_of_record(header) + modinfo + names + octets_of_record(none) + octets_of_record(info) +
         octets_of_record(texts);
}

inline std::string modinfo(const std::string& name, const std::string& depends) {
  return "license=GPL" + std::string(1, '\0') + "depends=" + depends + '\0' + "name=" + name + '\0';
}

/// elf_program has one segment, of type PT_LOAD or PT_INTERP.
inline std::string elf_program(std::uint32_t segment_type) {
  Elf64_Ehdr header = elf_header(ET_EXEC);
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = segment_type;
  return octets_of_record(header) + octets_of_record(segment);
}

/// boot_kernel is a kernel as far as anybody looks: the magic number of the boot protocol, where it belongs.
inline std::string boot_kernel() {
  return std::string(0x202, '\0') + "HdrS";
}

/// Scratch is a folder that goes away.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/attestbed-image-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~Scratch() { std::filesystem::remove_all(root_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& root() const { return root_; }
  std::string write(const std::string& name, const std::string& octets) const {
    const std::filesystem::path path = std::filesystem::path(root_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << octets;
    return path.string();
  }

  /// kernel_tree is a package with these modules; what they depend on is written as in .modinfo.
  struct FakeModule {
    std::string name, depends;
  };
  std::string kernel_tree(const std::vector<FakeModule>& modules, const std::string& builtin = "") const {
    write("tree/boot/vmlinuz-1.2.3", boot_kernel());
    write("tree/lib/modules/1.2.3/modules.builtin", builtin);
    for (const FakeModule& module : modules) {
      write("tree/lib/modules/1.2.3/kernel/drivers/" + module.name + ".ko",
            elf_module(modinfo(module.name, module.depends)));
    }
    return root_ + "/tree";
  }

 private:
  std::string root_;
};

}  // namespace attestbed::guest
