// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guest/image/image.h"

namespace attestbed::tools {

using guest::kImageInitramfs;
using guest::kImageKernel;

/// default_kernel is where `./run kernel` put a kernel package: build/kernel beside the preset of this program, or if
/// it has only the other one, build/kernel-snp, which serves a simulation as well. Errors: io_failed where there is
/// none, as beside an installed program.
guest::Outcome<std::string> default_kernel();

/// kernel_folders are where `./run kernel` puts packages, of the simulation first, then of SNP guests: build/kernel and
/// build/kernel-snp, those beside the preset of this program if one of them was fetched, otherwise those of the working
/// directory.
std::vector<std::string> kernel_folders();

/// parse_added reads HOST=GUEST; nothing if it is not of that form.
std::optional<guest::AddedFile> parse_added(const std::string& text);

}  // namespace attestbed::tools
