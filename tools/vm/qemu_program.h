// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/vm/host_facts.h"
#include "tools/vm/qemu_command.h"

namespace attestbed::vm {

inline constexpr Version kMillisecondsQemu{9, 2};  // the first with reconnect-ms

/// kQemuPaths are where QEMU lies, this machine's own build before the distribution's: no search path, whatever the
/// caller's environment says.
extern const std::vector<std::string> kQemuPaths;

/// find_qemu is `chosen` if that is a program, or with nothing chosen the first of kQemuPaths that is one.
///   root  a host's root directory; relative paths are taken as they are
std::optional<std::string> find_qemu(const std::string& chosen, const std::string& root = "/");

/// reconnect_of is the spelling that a QEMU of this version has: `reconnect` is gone from 10.2 on, its successor came
/// with 9.2.
Reconnect reconnect_of(const Version& version);

}  // namespace attestbed::vm
