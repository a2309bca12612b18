// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace attestbed::tools {

/// default_kernel is where `./run kernel` puts the kernel package: build/kernel beside the preset of this program.
std::string default_kernel();

}  // namespace attestbed::tools
