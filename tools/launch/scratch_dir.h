// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tools/launch/failure.h"

namespace attestbed::launch {

/// ScratchDir is a new directory of mode 0700 under /tmp that goes away, with all that is in it, when the object does.
/// Its path is short enough for a unix socket in it.
class ScratchDir {
 public:
  static Outcome<ScratchDir> make();
  ScratchDir(ScratchDir&& other) noexcept;
  ScratchDir& operator=(ScratchDir&& other) noexcept;
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir();

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  explicit ScratchDir(std::string path) : path_(std::move(path)) {}
  void remove();
  std::string path_;
};

}  // namespace attestbed::launch
