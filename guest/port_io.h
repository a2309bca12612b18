// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace attestbed::guest {

/// PortIo is x86 port input and output, one octet wide: by instructions where the guest may (ioperm), through the GHCB
/// where each has to be asked of the hypervisor, or a model. The host answers all of them, so nothing that comes from
/// here can be trusted.
///   in_string, out_string  `rep insb` and `rep outsb`: into.size() or from.size() octets through one port, for the
///                          price of one instruction as long as they are at most 16
class PortIo {
 public:
  virtual std::uint8_t in(std::uint16_t port) = 0;
  virtual void out(std::uint16_t port, std::uint8_t value) = 0;
  virtual void in_string(std::uint16_t port, MutBytes into) = 0;
  virtual void out_string(std::uint16_t port, Bytes from) = 0;

 protected:
  ~PortIo() = default;
};

/// DevicePorts is PortIo whose eight ports from `base` on are the registers of an object of this program; elsewhere is
/// nothing: reads yield all ones, as on a PC's bus.
template <class Device>
class DevicePorts final : public PortIo {
 public:
  DevicePorts(Device& device, std::uint16_t base) : device_(device), base_(base) {}
  std::uint8_t in(std::uint16_t port) override { return here(port) ? device_.in(offset(port)) : std::uint8_t{0xff}; }
  void out(std::uint16_t port, std::uint8_t value) override {
    if (here(port)) device_.out(offset(port), value);
  }
  void in_string(std::uint16_t port, MutBytes into) override {
    if (here(port)) return device_.in_string(offset(port), into);
    for (std::uint8_t& octet : into) octet = 0xff;
  }
  void out_string(std::uint16_t port, Bytes from) override {
    if (here(port)) device_.out_string(offset(port), from);
  }

 private:
  bool here(std::uint16_t port) const { return port >= base_ && port - base_ < 8; }
  unsigned offset(std::uint16_t port) const { return static_cast<unsigned>(port - base_); }

  Device& device_;
  const std::uint16_t base_;
};

}  // namespace attestbed::guest
