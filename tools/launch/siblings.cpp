// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/siblings.h"

#include <unistd.h>

#include <filesystem>

namespace attestbed::launch {

Outcome<std::string> sibling_program(std::string_view name) {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return Failure{.reason = "cannot read /proc/self/exe: " + failed.message()};
  std::string path = (self.parent_path() / name).string();
  if (::access(path.c_str(), X_OK) != 0) {
    return Failure{.program = std::string(name),
                   .reason = "no such program beside " + self.string() +
                             ": in a source tree build all of attestbed with `./run build`, else install it anew"};
  }
  return path;
}

}  // namespace attestbed::launch
