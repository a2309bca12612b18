// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "guest/init/failure.h"

namespace attestbed::guest {

inline constexpr std::size_t kMaxArchiveBytes = std::size_t{512} << 20;

/// CpioArchive is an initramfs: a "newc" archive (Linux: Documentation/driver-api/early-userspace/buffer-format). The
/// same entries give the same octets, in whatever order they were added: sorted by path, owner and time zero, inodes
/// counted from 1. Device nodes are octets here, so nobody needs to be root.
class CpioArchive {
 public:
  /// Each adds one entry at an absolute path, and the folders above it, of mode 0755.
  ///   errors  bad_config: a path that is not absolute, has an empty part, `.` or `..`, or is taken; too_large
  Outcome<void> add_folder(const std::string& path);
  enum class Mode : std::uint8_t { data, program };  // 0644, 0755
  Outcome<void> add_file(const std::string& path, Mode mode, std::string octets);
  /// add_console adds /dev/console, what the kernel opens for PID 1: character device 5:1, mode 0600.
  Outcome<void> add_console();

  std::string octets() const;

 private:
  struct Entry {
    std::uint32_t mode = 0;
    std::uint32_t device_major = 0, device_minor = 0;
    std::string octets{};
  };
  Outcome<void> add(const std::string& path, Entry entry);

  std::map<std::string, Entry> entries_;  // by path without its first slash
  std::size_t total_ = 0;
};

}  // namespace attestbed::guest
