// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: roots/*.pem as the build compiled them in.
#include <span>
#include <string_view>

namespace attestbed::verify {

struct RootFile {
  const char* name;
  std::string_view pem;
};
std::span<const RootFile> root_files();

}  // namespace attestbed::verify
