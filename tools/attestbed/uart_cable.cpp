// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/uart_cable.h"

#include <sys/eventfd.h>

namespace attestbed::tools {

UartCable::UartCable(sim::UartLine& line, posix::Fd stream, Clock& clock)
    : line_(line), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), stream_(std::move(stream), clock) {
  // Without a descriptor to stop on, nothing could end the threads: then the line stays silent.
  if (!stop_) return;
  stream_.cancel_on(stop_.get());
  to_guest_ = std::thread([this] { carry(stream_, line_.far()); });
  from_guest_ = std::thread([this] { carry(line_.far(), stream_); });
}

UartCable::~UartCable() {
  line_.far().close();
  if (stop_) eventfd_write(stop_.get(), 1);
  if (to_guest_.joinable()) to_guest_.join();
  if (from_guest_.joinable()) from_guest_.join();
}

// The guest's deadline is the attempt's; both waits here end with it, by stop_ and close().
void UartCable::carry(Transport& from, Transport& to) {
  ByteArray<4096> octets;
  for (;;) {
    const Result<std::size_t> got = from.read_some(octets, kNever);
    if (!got || !to.write_all(Bytes(octets).first(*got), kNever)) return;
  }
}

}  // namespace attestbed::tools
