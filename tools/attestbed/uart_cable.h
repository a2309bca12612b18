// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

#include "core/posix/fd.h"
#include "core/posix/fd_transport.h"
#include "sim/uart_line.h"

namespace attestbed::tools {

/// UartCable carries octets between the far end of a UartLine and a stream descriptor, both ways, as QEMU does between
/// its device and its socket. A thread for each direction, 4 KiB each; a side that does not read stops the other one's
/// writing. A descriptor that ends is silence on the UART. Its destructor ends both directions.
class UartCable {
 public:
  UartCable(sim::UartLine& line, posix::Fd stream, Clock& clock);
  ~UartCable();
  UartCable(const UartCable&) = delete;
  UartCable& operator=(const UartCable&) = delete;

 private:
  void carry(Transport& from, Transport& to);

  sim::UartLine& line_;
  posix::Fd stop_;
  posix::FdTransport stream_;
  std::thread to_guest_, from_guest_;  // last: they use everything above
};

}  // namespace attestbed::tools
