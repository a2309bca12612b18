// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guest/init/sequence.h"

namespace attestbed::guest {

/// What the machine ends with when attest-guest itself broke: no attempt ends with it.
inline constexpr int kExitCrashed = 6;

/// leave ends the machine: what was written to the console gets out, for up to a second; then 0x10 + exit goes to the
/// debug exit, if there is one, and if that does not end it, power is switched off.
[[noreturn]] void leave(const Ending& ending);

/// leave_when_crashing has every signal that would kill this process end in one line on the console and in leave(),
/// with kExitCrashed: a kernel whose PID 1 dies shows nothing but a trace of its own. remember_debug_exit tells it the
/// port.
void leave_when_crashing();
void remember_debug_exit(std::optional<std::uint16_t> port);

}  // namespace attestbed::guest
