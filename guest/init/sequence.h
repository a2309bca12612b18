// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "guest/init/machine.h"
#include "guest/init/module_list.h"

namespace attestbed::guest {

inline constexpr const char* kGuestConf = "/etc/attestbed/guest.conf";

/// Ending is how the machine is to be left: the exit status of attest-guest, and the port that tells QEMU.
struct Ending {
  int exit = 0;
  std::optional<std::uint16_t> debug_exit;
};

/// needed_for is what the modules are loaded for.
std::vector<When> needed_for(const Words& words, bool snp_guest);

/// run_sequence is PID 1 from its first line to its last: mounts, reads its words, loads modules, starts the simulated
/// device if that was asked for, attests, tells, and becomes the next program. It returns if there is none, or if
/// anything failed, which is then on the console: `attest-guest: result {…}` and a line for people, last.
Ending run_sequence(Machine& machine, const char* version);

}  // namespace attestbed::guest
