// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "guest/image/elf.h"
#include "guest/init/failure.h"

namespace attestbed::guest {

inline constexpr std::size_t kMaxKernelBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxModuleBytes = std::size_t{32} << 20;

/// Module is one of a kernel's modules.
///   path    of its file
///   file    its octets on the disk
///   octets  unpacked: what the guest loads
struct Module {
  std::string path, file, octets;
  ModuleInfo info;
};

/// KernelTree is a kernel package as dpkg-deb -x unpacks it: boot/vmlinuz-RELEASE, and below lib/modules/RELEASE (or
/// usr/lib) its modules, `.ko`, `.ko.xz` or `.ko.zst`, and modules.builtin. A single file is a kernel without modules.
class KernelTree {
 public:
  /// open finds one kernel. Errors: io_failed if nothing is at `path`; bad_config if the tree has none, or more than
  /// one, or cannot be listed.
  static Outcome<KernelTree> open(const std::string& path);

  const std::string& kernel() const { return kernel_; }
  /// release is `6.1.0-56-cloud-amd64`; empty for a single file.
  const std::string& release() const { return release_; }
  bool is_builtin(const std::string& name) const { return builtin_.contains(spelling(name)); }
  bool has(const std::string& name) const { return modules_.contains(spelling(name)); }
  /// module reads and unpacks. Errors: io_failed, too_large, bad_config for `.ko.gz`, and those of xz_decompress,
  /// zstd_decompress and read_module_info.
  Outcome<Module> module(const std::string& name) const;

 private:
  // sev-guest and sev_guest are one module: the kernel has both spellings, of files and of names.
  static std::string spelling(std::string name);
  Outcome<void> find_kernel(const std::string& folder);
  Outcome<void> find_modules(const std::string& folder);

  std::string kernel_, release_;
  std::map<std::string, std::string> modules_;  // name, path
  std::set<std::string> builtin_;
};

}  // namespace attestbed::guest
