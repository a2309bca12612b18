// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "sim/device/ioctl_dialogue.h"
#include "sim/failure.h"

namespace attestbed::sim {

/// serve_cuse makes the character device /dev/`name` (CUSE), calls `ready` once it is there, and answers its ioctls
/// until `stop` becomes readable (it is never read); then the device is gone. Like the kernel's mutex, it has one ioctl
/// after the other, whoever calls.
///   errors  bad_config: no /dev/cuse, no permission for it, or the device exists; io_failed: the kernel made no device
///           or ended the session
Outcome<void> serve_cuse(const std::string& name, IoctlDialogue& dialogue, int stop,
                         const std::function<void()>& ready);

}  // namespace attestbed::sim
