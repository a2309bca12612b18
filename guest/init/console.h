// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

namespace attestbed::guest {

/// write_within writes to `fd`, which does not block, for as long as `patience` and somebody takes it. It allocates
/// nothing. True if all of it was written.
bool write_within(int fd, std::string_view text, std::chrono::milliseconds patience);

/// open_console opens /dev/console anew: O_NONBLOCK is of the open file, and standard output is the next program's,
/// too. Until then, or if that fails, lines go to standard output.
void open_console();

/// say_on_console puts `line` on the console, behind this program's name, up to 4096 octets in one write. It allocates
/// nothing, so that a crashing program may call it. A console that takes nothing for a second loses what does not fit,
/// and is not waited for again before it takes a line: its host may stop reading, but not this program.
void say_on_console(std::string_view line);

}  // namespace attestbed::guest
