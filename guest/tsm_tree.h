// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/platform/clock.h"

namespace attestbed::guest {

inline constexpr const char* kDefaultTsmTree = "/sys/kernel/config/tsm/report";

/// TsmTree is the file operations that a report out of configfs-tsm takes and nothing else, so that a test can be the
/// kernel (Documentation/ABI/testing/configfs-tsm-report, drivers/virt/coco/guest/report.c). Every operation returns 0
/// or errno.
class TsmTree {
 public:
  /// make and remove are mkdir and rmdir of an entry.
  virtual int make(const std::string& entry) = 0;
  virtual int remove(const std::string& entry) = 0;
  /// write opens an attribute of an entry, writes `octets` in one piece, and closes it. That all of that succeeds does
  /// not say that the kernel took the octets: those of inblob it takes when the file is closed, and drops what it says.
  virtual int write(const std::string& entry, const char* attribute, Bytes octets) = 0;
  /// read reads an attribute of an entry up to its end; `got` is how much of `into` it filled. EFBIG if it has more.
  virtual int read(const std::string& entry, const char* attribute, MutBytes into, std::size_t& got) = 0;

 protected:
  ~TsmTree() = default;
};

/// TsmDirectory is the kernel's tree below `path`.
class TsmDirectory final : public TsmTree {
 public:
  explicit TsmDirectory(std::string path) : path_(std::move(path)) {}
  int make(const std::string& entry) override;
  int remove(const std::string& entry) override;
  int write(const std::string& entry, const char* attribute, Bytes octets) override;
  int read(const std::string& entry, const char* attribute, MutBytes into, std::size_t& got) override;
  /// exists says whether there is such a directory.
  bool exists() const;

 private:
  std::string path_;
};

}  // namespace attestbed::guest
