// SPDX-License-Identifier: Apache-2.0
#include "guest/init/port_instructions.h"

#include <sys/io.h>

#include <cerrno>

namespace attestbed::guest {

std::uint8_t PortInstructions::in(std::uint16_t port) {
  std::uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

void PortInstructions::out(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void PortInstructions::in_string(std::uint16_t port, MutBytes into) {
  std::uint8_t* to = into.data();
  std::size_t left = into.size();
  asm volatile("rep insb" : "+D"(to), "+c"(left) : "d"(port) : "memory");
}

void PortInstructions::out_string(std::uint16_t port, Bytes from) {
  const std::uint8_t* at = from.data();
  std::size_t left = from.size();
  asm volatile("rep outsb" : "+S"(at), "+c"(left) : "d"(port) : "memory");
}

Status take_ports(std::uint16_t base, unsigned count) {
  if (::ioperm(base, count, 1) != 0) return Error{Errc::io_failed, "ioperm", static_cast<std::uint64_t>(errno)};
  return ok();
}

}  // namespace attestbed::guest
