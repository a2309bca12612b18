// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/transport.h"
#include "guest/port_io.h"

namespace attestbed::guest {

inline constexpr std::uint16_t kCom3 = 0x3e8;

/// UartTransport drives a 16550 by polling: no interrupt, no heap, no thread, no operating system. Sources: PC16550D
/// data sheet; QEMU's device as measured.
///   Writing: waits for THRE, then hands over at most what the FIFO holds (16), never more: a stream that does not look
///   loses octets under QEMU as on hardware.
///   Reading: IIR says that the trigger level (14) is reached, then one string instruction takes that many; the
///   time-out indication announces what is less, which LSR.DR then yields octet by octet. So that IIR says anything the
///   interrupts are enabled in IER; OUT2 stays off and nobody has to handle one.
///   Not every model has a trigger level: where the loop-back shows none, all is read by LSR.DR.
///   Waiting: between polls that find nothing it waits on the clock, from 4 µs doubling to 1 ms.
/// A UART has no notion of a peer that went away: `closed` never comes, a dead peer is silence up to the deadline.
///   errors  deadline; uart_overrun if LSR shows overrun, parity, framing or break (LSR in `found`): octets are lost
///           and the stream is out of step; uart_absent if the port reads as all ones; bad_length for no room to read
class UartTransport final : public Transport {
 public:
  /// open finds the UART at `base` and sets it up: 115200 8N1, FIFOs emptied and on. Errors: uart_absent.
  static Result<UartTransport> open(PortIo& ports, std::uint16_t base, Clock& clock);

  Result<std::size_t> read_some(MutBytes into, Deadline until) override;
  Status write_all(Bytes from, Deadline until) override;

  /// burst_read and burst_write are how many octets go with one instruction: 14 and 16, or 1.
  std::size_t burst_read() const { return burst_read_; }
  std::size_t burst_write() const { return burst_write_; }

 private:
  enum Register : std::uint16_t;
  class Backoff;

  UartTransport(PortIo& ports, std::uint16_t base, Clock& clock) : ports_(ports), base_(base), clock_(clock) {}
  Status probe();
  void set_up();
  bool trigger_level_works();
  bool announces_trigger_level();
  Result<std::uint8_t> line_status();
  Result<std::size_t> take(MutBytes into);
  Result<std::size_t> take_by_one(MutBytes into);
  std::uint8_t in(Register reg);
  void out(Register reg, std::uint8_t value);
  std::uint16_t port(Register reg) const;

  PortIo& ports_;
  std::uint16_t base_;
  Clock& clock_;
  std::size_t burst_read_ = 1, burst_write_ = 1;
  std::size_t known_ = 0;  // octets that are in the FIFO for certain
};

}  // namespace attestbed::guest
