// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_program.h"

#include <unistd.h>

#include <filesystem>

namespace attestbed::vm {
namespace {

namespace fs = std::filesystem;

bool is_program(const std::string& path, const std::string& root) {
  const fs::path at = fs::path(path).is_absolute() ? fs::path(root) / fs::path(path).relative_path() : fs::path(path);
  std::error_code failed;
  return fs::is_regular_file(at, failed) && ::access(at.c_str(), X_OK) == 0;
}

}  // namespace

const std::vector<std::string> kQemuPaths = {"/usr/local/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64",
                                             "/usr/libexec/qemu-kvm"};

std::optional<std::string> find_qemu(const std::string& chosen, const std::string& root) {
  for (const std::string& path : chosen.empty() ? kQemuPaths : std::vector<std::string>{chosen}) {
    if (is_program(path, root)) return path;
  }
  return std::nullopt;
}

Reconnect reconnect_of(const Version& version) {
  return version < kMillisecondsQemu ? Reconnect::seconds : Reconnect::milliseconds;
}

}  // namespace attestbed::vm
