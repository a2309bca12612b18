// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "core/posix/fd.h"
#include "tools/launch/failure.h"

namespace attestbed::launch {

/// ScratchDir is a new directory of mode 0700 under /tmp that goes away, with all that is in it, when the object does,
/// or when this process ends in any other way: a process of its own waits for that and removes it, since a directory
/// may hold a secret and no destructor runs after SIGKILL. Its path is short enough for a unix socket in it.
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
  ScratchDir(std::string path, posix::Fd alive, pid_t remover)
      : path_(std::move(path)), alive_(std::move(alive)), remover_(remover) {}
  void remove();

  std::string path_;
  posix::Fd alive_;  // the remover acts when the last copy of this descriptor is gone, and this is the only one
  pid_t remover_ = -1;
};

}  // namespace attestbed::launch
