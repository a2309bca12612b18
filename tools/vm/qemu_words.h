// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attestbed::vm {

/// comma_escaped is a value as it stands in one of QEMU's `key=value,…` lists: every comma twice.
std::string comma_escaped(std::string_view value);

/// shell_command is `argv` as one command for a POSIX shell, ready to be pasted: words that need it are in single
/// quotes, and every word that begins with '-' stands on a line of its own.
std::string shell_command(const std::vector<std::string>& argv);

}  // namespace attestbed::vm
