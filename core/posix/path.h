// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace attestbed::posix {

/// directory_of is the directory that holds the entry `path`, with its final slash if `path` has one; "." if none is
/// named.
inline std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace attestbed::posix
