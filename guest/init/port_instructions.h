// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "guest/port_io.h"

namespace attestbed::guest {

/// PortInstructions is PortIo by the processor's own instructions: in, out, rep insb, rep outsb. Only ports that this
/// process was given (take_ports) may be named; another one is a fault.
class PortInstructions final : public PortIo {
 public:
  std::uint8_t in(std::uint16_t port) override;
  void out(std::uint16_t port, std::uint8_t value) override;
  void in_string(std::uint16_t port, MutBytes into) override;
  void out_string(std::uint16_t port, Bytes from) override;
};

/// take_ports has the kernel let this process use `count` I/O ports from `base` on (ioperm(2)).
/// Errors: io_failed with errno in `found`, EPERM without CAP_SYS_RAWIO.
Status take_ports(std::uint16_t base, unsigned count);

}  // namespace attestbed::guest
