// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/clock.h"
#include "core/posix/fd.h"
#include "guest/init/failure.h"

namespace attestbed::guest {

inline constexpr const char* kVirtioPortsFolder = "/sys/class/virtio-ports";
inline constexpr std::size_t kMaxVirtioPorts = 512;

/// find_virtio_port returns the device (/dev/vport0p1) of the port that the machine was given under `name`. There is no
/// udev here: sysfs says the names. A port shows some time after its driver was loaded, so it is looked for until
/// `until`. Errors: transport, with the names that are there in the text.
Outcome<std::string> find_virtio_port(const std::string& folder, const std::string& name, Clock& clock, Deadline until);

/// open_virtio_port opens a port for reading and writing and waits until the host has its side open: before that it
/// reads as ended. Errors: transport with errno in `found`, EBUSY if something else has it; deadline.
Outcome<posix::Fd> open_virtio_port(const std::string& device, Clock& clock, Deadline until);

}  // namespace attestbed::guest
