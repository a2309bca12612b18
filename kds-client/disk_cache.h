// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "kds-client/request.h"

namespace attestbed::kds {

/// DiskCache keeps answers in one directory that only its owner may read or write. A file holds the whole request, the
/// SHA-256 of the answer and the answer; it is made in one step, and what does not fit together is as good as absent.
/// Several programs may use one directory at once.
class DiskCache {
 public:
  static constexpr std::size_t kMaxFiles = 4096;

  /// open makes the directory, mode 0700, with missing parents. Errors: io_failed; bad_config if it is no directory,
  /// another user's, or open to others.
  static Checked<DiskCache> open(std::string directory);

  struct Entry {
    std::vector<std::uint8_t> octets;
    verify::Time fetched;
  };
  /// read returns the answer to `request` if a whole one is there, and removes a file that is damaged, of another
  /// request, or not what was asked for (Request::check_answer).
  std::optional<Entry> read(const Request& request) const;
  /// write keeps an answer; at kMaxFiles the file that was written longest ago makes room. Errors: io_failed.
  Checked<void> write(const Request& request, Bytes octets, verify::Time fetched) const;
  void forget(const Request& request) const;

  /// path_of is the file of a request: name and half a SHA-256 of its target.
  std::string path_of(const Request& request) const;

 private:
  explicit DiskCache(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
};

}  // namespace attestbed::kds
