// SPDX-License-Identifier: Apache-2.0
#include "guest/image/kernel_tree.h"

#include <algorithm>
#include <filesystem>

#include "core/posix/describe.h"
#include "guest/image/compression.h"

namespace attestbed::guest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 50'000;
constexpr std::size_t kMaxBuiltinBytes = std::size_t{1} << 20;
constexpr std::string_view kKernelPrefix = "vmlinuz-";
constexpr const char* kFetch = "./run kernel fetches one into build/kernel, or name another with --kernel";

Failure refuse(const std::string& path, const std::string& why) {
  return {{Errc::bad_config, "kernel"}, path + ": " + why, kFetch};
}

// The name of a module's file without its ending; empty for other files. Nothing here unpacks gzip: such a module is
// known, and refused when it is needed.
std::string_view stem_of(std::string_view file) {
  for (const std::string_view ending : {".ko", ".ko.xz", ".ko.zst", ".ko.gz"}) {
    if (file.ends_with(ending)) return file.substr(0, file.size() - ending.size());
  }
  return {};
}

}  // namespace

std::string KernelTree::spelling(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

Outcome<KernelTree> KernelTree::open(const std::string& path) {
  KernelTree tree;
  std::error_code failed;
  const fs::file_status there = fs::status(path, failed);
  if (!fs::exists(there)) return Failure{{Errc::io_failed, "kernel"}, path + ": there is no kernel", kFetch};
  if (!fs::is_directory(there)) {
    tree.kernel_ = path;
    return tree;
  }
  TRY(tree.find_kernel((fs::path(path) / "boot").string()));
  for (const char* const lib : {"lib/modules", "usr/lib/modules"}) {
    const std::string folder = (fs::path(path) / lib / tree.release_).string();
    if (!fs::is_directory(folder, failed)) continue;
    TRY(tree.find_modules(folder));
    return tree;
  }
  return refuse(path, "has no modules of " + tree.release_ + " (lib/modules)");
}

Outcome<void> KernelTree::find_kernel(const std::string& folder) {
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(kKernelPrefix)) continue;
    if (!kernel_.empty()) return refuse(folder, "there is more than one kernel: " + printable(name));
    kernel_ = at->path().string();
    release_ = name.substr(kKernelPrefix.size());
  }
  if (failed) return refuse(folder, failed.message());
  if (kernel_.empty()) return refuse(folder, "there is no vmlinuz-RELEASE");
  return {};
}

Outcome<void> KernelTree::find_modules(const std::string& folder) {
  std::error_code failed;
  std::size_t entries = 0;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (++entries > kMaxEntries) return refuse(folder, "has more than 50000 entries");
    const std::string name = at->path().filename().string();
    const std::string_view stem = stem_of(name);
    if (stem.empty()) continue;
    const auto [there, added] = modules_.emplace(spelling(std::string(stem)), at->path().string());
    if (added) continue;
    // Which one it would be, the order of a directory decides: the same files would not give the same image.
    const std::string two[] = {fs::path(there->second).lexically_relative(folder),
                               at->path().lexically_relative(folder)};
    return Failure{{Errc::bad_config, "kernel"},
                   folder + ": has two files of the module " + there->first + ": " + std::min(two[0], two[1]) +
                       " and " + std::max(two[0], two[1]),
                   "remove the one that the guest is not to load"};
  }
  if (failed) return refuse(folder, failed.message());
  const Result<std::string> builtin = posix::read_file(folder + "/modules.builtin", kMaxBuiltinBytes);
  if (!builtin) return failure_at(folder + "/modules.builtin", builtin.error());
  std::string_view rest = *builtin;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view stem = stem_of(line.substr(line.rfind('/') + 1));
    if (!stem.empty()) builtin_.insert(spelling(std::string(stem)));
  }
  return {};
}

Outcome<Module> KernelTree::module(const std::string& name) const {
  const auto at = modules_.find(spelling(name));
  if (at == modules_.end()) return refuse(name, "this kernel has no such module");
  Module module;
  module.path = at->second;
  Result<std::string> file = posix::read_file(module.path, kMaxModuleBytes);
  if (!file) return failure_at(module.path, file.error());
  module.file = *std::move(file);
  if (module.path.ends_with(".gz")) {
    return Failure{{Errc::bad_config, "kernel"},
                   module.path + ": is compressed with gzip, which is not unpacked here",
                   "unpack the tree's modules (gunzip), or take a kernel package with .ko, .ko.xz or .ko.zst"};
  }
  if (module.path.ends_with(".ko")) {
    module.octets = module.file;
  } else {
    const auto unpack = module.path.ends_with(".xz") ? xz_decompress : zstd_decompress;
    Result<std::string> unpacked = unpack(bytes_of(module.file), kMaxModuleBytes);
    if (!unpacked) return failure_at(module.path, unpacked.error());
    module.octets = *std::move(unpacked);
  }
  Result<ModuleInfo> info = read_module_info(bytes_of(module.octets));
  if (!info) return failure_at(module.path, info.error());
  module.info = *std::move(info);
  return module;
}

}  // namespace attestbed::guest
