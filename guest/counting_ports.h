// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guest/port_io.h"

namespace attestbed::guest {

/// PortCounts is what driving a UART cost in instructions that a hypervisor has to handle.
///   accesses     octets that crossed a port
///   intercepted  one for each in or out, one for each 16 octets begun of a string instruction; without the idle polls
///   idle_polls   reads of IIR (base + 2) with nothing pending, and of LSR (base + 5) that showed no bit
struct PortCounts {
  std::uint64_t accesses = 0, intercepted = 0, idle_polls = 0;
};

/// CountingPorts passes everything on to other ports and counts what goes to the UART at `base`.
class CountingPorts final : public PortIo {
 public:
  CountingPorts(PortIo& ports, std::uint16_t base) : ports_(ports), base_(base) {}
  const PortCounts& counts() const { return counts_; }

  std::uint8_t in(std::uint16_t port) override {
    const std::uint8_t value = ports_.in(port);
    ++counts_.accesses;
    const bool idle = (port == base_ + 2 && (value & 0x0f) == 0x01) || (port == base_ + 5 && value == 0);
    ++(idle ? counts_.idle_polls : counts_.intercepted);
    return value;
  }
  void out(std::uint16_t port, std::uint8_t value) override {
    ports_.out(port, value);
    count_string(1);
  }
  void in_string(std::uint16_t port, MutBytes into) override {
    ports_.in_string(port, into);
    count_string(into.size());
  }
  void out_string(std::uint16_t port, Bytes from) override {
    ports_.out_string(port, from);
    count_string(from.size());
  }

 private:
  void count_string(std::size_t octets) {
    counts_.accesses += octets;
    counts_.intercepted += (octets + 15) / 16;
  }

  PortIo& ports_;
  const std::uint16_t base_;
  PortCounts counts_;
};

}  // namespace attestbed::guest
