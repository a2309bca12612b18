// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/posix/firmware_socket.h"

namespace attestbed::sim {

/// FirmwareLine is a guest of a machine elsewhere: the line to it, and the VMPCK that it was given.
struct FirmwareLine {
  std::unique_ptr<posix::FirmwareSocket> socket;
  snp::Vmpck key;
};

/// reach_firmware becomes a guest of the machine at the other end of `path` (docs/firmware-socket.md) and takes VMPCK
/// `vmpck` from its secrets page. `path` is a unix socket; or a virtio port, whose other end may come later than this
/// program and is waited for; or a serial terminal. A port on which an earlier program was a guest leads nowhere until
/// its host has hung up and come back: that is waited for, too. `stop`, once readable, ends every wait now and later.
///   errors  bad_config if path is neither; transport with errno in `found` (EBUSY: somebody else has the port open);
///           deadline if nobody was there in time; closed if stopped, or if a socket hung up; firmware_refused,
///           bad_length, reserved_set, vmpck_lost: see FirmwareSocket::secrets_page and vmpck_from_secrets_page
Result<FirmwareLine> reach_firmware(const std::string& path, unsigned vmpck, Clock& clock, Deadline until, int stop);

}  // namespace attestbed::sim
