// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "core/platform/transport.h"
#include "sim/manual_clock.h"
#include "sim/uart16550.h"
#include "sim/uart_fault.h"

namespace attestbed::sim {

/// UartLine is a serial line in one process: at its near end the registers of a Uart16550, for a driver; at its far end
/// a Transport, where a real machine has the hypervisor's socket. Reception is flow-controlled as in QEMU: octets wait
/// outside until the receiver has room, unless the fault plan says otherwise. Safe from
/// any thread; each end has at most one reader and one writer at a time.
class UartLine {
 public:
  enum class Fill : std::uint8_t { to_trigger, to_depth };
  /// Options shape the line.
  ///   capacity  octets in flight in one direction, outside the UART, before a sender waits
  ///   fill      how far the receiver's FIFO is filled: up to the trigger level, as QEMU does, or all of it
  struct Options {
    std::size_t capacity = 4096;
    Fill fill = Fill::to_trigger;
  };

  /// As with LoopbackPair: with a ManualClock a far end that would wait moves the clock to its deadline at once.
  explicit UartLine(Clock& clock, UartFaultPlan faults = {}) : UartLine(clock, nullptr, std::move(faults), {}) {}
  UartLine(Clock& clock, UartFaultPlan faults, Options options)
      : UartLine(clock, nullptr, std::move(faults), options) {}
  explicit UartLine(ManualClock& clock, UartFaultPlan faults = {}) : UartLine(clock, std::move(faults), Options{}) {}
  UartLine(ManualClock& clock, UartFaultPlan faults, Options options)
      : UartLine(clock, &clock, std::move(faults), options) {}
  UartLine(const UartLine&) = delete;
  UartLine& operator=(const UartLine&) = delete;

  /// The near end: the registers, see Uart16550.
  std::uint8_t in(unsigned offset);
  void out(unsigned offset, std::uint8_t value);
  void in_string(unsigned offset, MutBytes into);
  void out_string(unsigned offset, Bytes from);

  /// FarEnd is the other end. Errors are those of Transport; `closed` only after its own close().
  class FarEnd final : public Transport {
   public:
    Result<std::size_t> read_some(MutBytes into, Deadline until) override;
    Status write_all(Bytes from, Deadline until) override;
    /// close ends the calls of this end, also those that wait. The near end sees nothing but silence: a UART has no
    /// notion of a peer that went away.
    void close();

   private:
    friend class UartLine;
    explicit FarEnd(UartLine& line) : line_(line) {}
    UartLine& line_;
  };
  FarEnd& far() { return far_; }

  UartCounts counts() const;

 private:
  UartLine(Clock& clock, ManualClock* manual, UartFaultPlan faults, Options options)
      : clock_(clock), manual_(manual), faults_(std::move(faults)), options_(options), uart_(clock) {}
  template <class Ready>
  Status wait(std::unique_lock<std::mutex>& lock, Deadline until, Ready ready, const char* where);
  /// settle moves what can move: from the transmitter outwards, and into the receiver what has room or does not ask.
  void settle();
  bool arrives();

  Clock& clock_;
  ManualClock* manual_;
  const UartFaultPlan faults_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Uart16550 uart_;
  std::deque<std::uint8_t> to_guest_, from_guest_;
  std::uint64_t arrived_ = 0;         // octets of the far end that reached the receiver
  std::uint64_t without_asking_ = 0;  // flow control is ignored up to this octet
  bool closed_ = false;
  FarEnd far_{*this};
};

}  // namespace attestbed::sim
