// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace attestbed::launch {

/// shell_word is `word` as it stands in a POSIX shell's command: in single quotes if anything in it needs them.
std::string shell_word(std::string_view word);

}  // namespace attestbed::launch
