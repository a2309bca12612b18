// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "core/base/bytes.h"
#include "core/platform/clock.h"

namespace attestbed::sim {

/// UartCounts is what a UART has seen since it was made.
///   accesses      octets read from and written to registers
///   intercepted   instructions that a hypervisor would have to handle: one for each in or out, one for each 16 octets
///                 begun of a string instruction; without the idle polls
///   idle_polls    reads of IIR with nothing pending, and of LSR with nothing to read, no error and no room to write
///   sent, received  octets on the line, not those of the loop-back
///   tx_overruns   octets lost because more than the FIFO holds was written since THRE was seen
///   rx_overruns   octets lost because nobody read the earlier ones
///   empty_reads   reads of RBR with no octet there
struct UartCounts {
  std::uint64_t accesses = 0, intercepted = 0, idle_polls = 0;
  std::uint64_t sent = 0, received = 0;
  std::uint64_t tx_overruns = 0, rx_overruns = 0, empty_reads = 0;
  /// per_octet is the intercepted instructions by octet on the line; 0 before the first octet.
  double per_octet() const {
    return sent + received == 0 ? 0.0 : static_cast<double>(intercepted) / static_cast<double>(sent + received);
  }
};

/// Uart16550 is the register model of the PC16550D (data sheet of 1995, section 8), as a PC wires it: 1.8432 MHz, the
/// peer's modem lines on. It has two sides, and moves no octet between them and the world by itself: sim::UartLine
/// does. Not for use from two threads.
///   What the data sheet leaves open: RBR reads as zero when its FIFO is empty; an octet written to a full transmitter
///   is lost and the earlier ones stay; SCR and the divisor are zero and 12 (9600 baud) after reset.
class Uart16550 {
 public:
  static constexpr std::size_t kFifoBytes = 16;
  /// Bits of LSR that an octet can bring with it.
  static constexpr std::uint8_t kParityError = 0x04, kFramingError = 0x08, kBreak = 0x10;

  explicit Uart16550(Clock& clock) : clock_(clock), last_rx_(clock.now()) {}

  /// The guest's side: registers 0 to 7, of which the low three bits of `offset` count.
  std::uint8_t in(unsigned offset);
  void out(unsigned offset, std::uint8_t value);
  void in_string(unsigned offset, MutBytes into);
  void out_string(unsigned offset, Bytes from);

  /// The line's side. receive takes what arrives, with or without room; transmit yields what is to be sent, at most
  /// into.size() octets, and returns how many. While the loop-back bit is set both find the line cut off.
  void receive(std::uint8_t octet, std::uint8_t errors = 0);
  std::size_t transmit(MutBytes into);
  /// room is how many octets the receiver takes before it loses any; 0 while looped back.
  std::size_t room() const;
  /// room_below_trigger is what QEMU lets arrive: up to the trigger level and not beyond.
  std::size_t room_below_trigger() const;
  std::size_t waiting_to_send() const { return looped() ? 0 : tx_.size(); }

  const UartCounts& counts() const { return counts_; }
  std::size_t rx_level() const { return rx_.size(); }
  std::size_t tx_level() const { return tx_.size(); }

 private:
  struct Received {
    std::uint8_t octet, errors;
  };
  std::uint8_t read(unsigned offset);
  void write(unsigned offset, std::uint8_t value);
  std::uint8_t read_rbr();
  std::uint8_t read_iir();
  std::uint8_t read_lsr();
  std::uint8_t read_msr();
  void write_thr(std::uint8_t octet);
  void write_fcr(std::uint8_t value);
  void write_mcr(std::uint8_t value);
  void put(std::uint8_t octet, std::uint8_t errors);
  void reveal_errors();
  void transmitter_empty();
  std::uint8_t pending() const;
  std::uint8_t modem_lines() const;
  std::chrono::nanoseconds character_time() const;
  bool looped() const;
  bool dlab() const;
  bool fifos() const;
  std::size_t depth() const { return fifos() ? kFifoBytes : 1; }
  std::size_t trigger() const;

  Clock& clock_;
  UartCounts counts_;
  std::uint8_t ier_ = 0, fcr_ = 0, lcr_ = 0, mcr_ = 0, scratch_ = 0, rbr_ = 0;
  std::uint8_t line_errors_ = 0;   // OE, PE, FE, BI, until LSR is read
  std::uint8_t modem_deltas_ = 0;  // the low half of MSR, until it is read
  std::uint8_t dll_ = 12, dlm_ = 0;
  bool thre_interrupt_ = false;
  std::deque<Received> rx_;
  std::deque<std::uint8_t> tx_;
  std::size_t may_write_ = 1;  // octets until the transmitter must be seen empty again
  Instant last_rx_;            // when an octet last arrived or was read
};

}  // namespace attestbed::sim
