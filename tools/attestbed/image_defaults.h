// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "guest/image/image.h"

namespace attestbed::tools {

/// What `attestbed image --out DIR` writes there.
inline constexpr const char* kImageKernel = "bzImage";
inline constexpr const char* kImageInitramfs = "initramfs.zst";

/// default_kernel is where `./run kernel` puts the kernel package: build/kernel beside the preset of this program.
/// Errors: bad_config where there is none, as beside an installed program.
guest::Outcome<std::string> default_kernel();

/// parse_added reads HOST=GUEST; nothing if it is not of that form.
std::optional<guest::AddedFile> parse_added(const std::string& text);

}  // namespace attestbed::tools
