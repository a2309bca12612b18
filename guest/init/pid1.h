// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attestbed::guest {

/// is_init: this process is the first of the machine and was started under the name init, as kernels start it. A
/// container's first process has another name.
bool is_init(const char* program);

/// run_as_init boots, attests and becomes the next program or ends the machine.
[[noreturn]] void run_as_init(const char* version);

}  // namespace attestbed::guest
