// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/scratch_dir.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace attestbed::launch {

// /tmp by name and not by TMPDIR: no behaviour hangs on the environment, and a unix socket's path has 107 octets.
Outcome<ScratchDir> ScratchDir::make() {
  std::string path = "/tmp/attestbed-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return Failure{.reason = std::string("cannot make a directory under /tmp: ") + std::strerror(errno)};
  }
  return ScratchDir(std::move(path));
}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

ScratchDir::~ScratchDir() {
  remove();
}

void ScratchDir::remove() {
  if (path_.empty()) return;
  std::error_code ignored;  // symbolic links are removed, not followed
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace attestbed::launch
