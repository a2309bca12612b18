// SPDX-License-Identifier: Apache-2.0
#include "guest/uart_transport.h"

#include <algorithm>

namespace attestbed::guest {
namespace {

constexpr std::uint8_t kIerReceivedAndLineStatus = 0x05;
constexpr std::uint8_t kIirCause = 0x0f, kIirNone = 0x01, kIirReceived = 0x04, kIirFifos = 0xc0;
constexpr std::uint8_t kFcrOnAndEmpty = 0x07, kFcrTrigger14 = 0xc0;
constexpr std::uint8_t kLcr8N1 = 0x03, kLcrDlab = 0x80;
constexpr std::uint8_t kMcrDtrRts = 0x03, kMcrLoop = 0x10;
constexpr std::uint8_t kLsrData = 0x01, kLsrErrors = 0x1e, kLsrRoom = 0x20, kLsrFifoError = 0x80;
constexpr std::size_t kFifoBytes = 16, kTrigger = 14;
constexpr std::chrono::nanoseconds kFirstNap = std::chrono::microseconds(4), kLastNap = std::chrono::milliseconds(1);

}  // namespace

enum UartTransport::Register : std::uint16_t { kData, kIer, kIirFcr, kLcr, kMcr, kLsr, kMsr, kScratch };

/// Backoff waits longer and longer, and never beyond the deadline.
class UartTransport::Backoff {
 public:
  Backoff(Clock& clock, Deadline until) : clock_(clock), until_(until) {}
  bool expired() const { return clock_.now() >= until_; }
  void nap() {
    const Instant now = clock_.now();
    if (now >= until_) return;
    clock_.wait_until(now + std::min<std::chrono::nanoseconds>(nap_, until_ - now));
    nap_ = std::min(2 * nap_, kLastNap);
  }
  void found_work() { nap_ = kFirstNap; }

 private:
  Clock& clock_;
  const Deadline until_;
  std::chrono::nanoseconds nap_ = kFirstNap;
};

std::uint16_t UartTransport::port(Register reg) const {
  return static_cast<std::uint16_t>(base_ + reg);
}
std::uint8_t UartTransport::in(Register reg) {
  return ports_.in(port(reg));
}
void UartTransport::out(Register reg, std::uint8_t value) {
  ports_.out(port(reg), value);
}

Result<UartTransport> UartTransport::open(PortIo& ports, std::uint16_t base, Clock& clock) {
  UartTransport uart(ports, base, clock);
  TRY(uart.probe());
  uart.set_up();
  return uart;
}

Status UartTransport::probe() {
  // A bus with nothing there reads as all ones, which LSR never is without parity.
  const std::uint8_t status = in(kLsr);
  if (status == 0xff) return Error{Errc::uart_absent, "LSR", status};
  for (const std::uint8_t pattern : {std::uint8_t{0x5a}, std::uint8_t{0xa5}}) {
    out(kScratch, pattern);
    const std::uint8_t found = in(kScratch);
    if (found != pattern) return Error{Errc::uart_absent, "scratch register", found, pattern};
  }
  return ok();
}

void UartTransport::set_up() {
  out(kIer, 0);
  out(kLcr, kLcrDlab);
  out(kData, 1);  // the divisor of 115200 baud
  out(kIer, 0);   // its high half
  out(kLcr, kLcr8N1);
  out(kIirFcr, kFcrTrigger14 | kFcrOnAndEmpty);
  out(kIer, kIerReceivedAndLineStatus);
  const bool fifos = (in(kIirFcr)&kIirFifos) == kIirFifos;
  burst_write_ = fifos ? kFifoBytes : 1;
  if (fifos && trigger_level_works()) burst_read_ = kTrigger;
  out(kMcr, kMcrDtrRts);
  (void)in(kLsr);  // errors of before are not ours
}

// One look proves too little against it: QEMU lets the time-out, a third of a millisecond, hide that the level was
// reached, and a busy machine takes longer than that for the octets of one look.
bool UartTransport::trigger_level_works() {
  constexpr int kLooks = 8;
  for (int look = 0; look < kLooks; ++look) {
    if (announces_trigger_level()) return true;
  }
  return false;
}

// In loop-back the UART receives what it sends: the octet that completes the trigger level must be the one that IIR
// waits for, and what comes back what went out. There are models that announce every octet.
bool UartTransport::announces_trigger_level() {
  static constexpr ByteArray<kTrigger> kSent{0x00, 0xff, 0x55, 0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  out(kMcr, kMcrLoop | kMcrDtrRts);
  ports_.out_string(port(kData), Bytes(kSent).first(kTrigger - 1));
  const bool silent_below = (in(kIirFcr)&kIirCause) != kIirReceived;
  out(kData, kSent.back());
  const bool announced = (in(kIirFcr)&kIirCause) == kIirReceived;
  ByteArray<kTrigger> back;
  ports_.in_string(port(kData), back);
  const bool empty = (in(kLsr)&kLsrData) == 0;
  if (!empty) out(kIirFcr, kFcrTrigger14 | kFcrOnAndEmpty);
  return silent_below && announced && empty && std::equal(back.begin(), back.end(), kSent.begin());
}

Result<std::uint8_t> UartTransport::line_status() {
  const std::uint8_t status = in(kLsr);
  if (status == 0xff) return Error{Errc::uart_absent, "LSR", status};
  // Reading cleared the error: said now or never. What the FIFO holds is of no use any more.
  if ((status & (kLsrErrors | kLsrFifoError)) != 0) {
    known_ = 0;
    return Error{Errc::uart_overrun, "LSR", status};
  }
  return status;
}

// Fewer than the trigger level: QEMU lets the time-out hide that the level was reached meanwhile, so IIR is asked
// again.
Result<std::size_t> UartTransport::take_by_one(MutBytes into) {
  const std::size_t most = std::min(into.size(), kTrigger - 1);
  std::size_t size = 0;
  while (size < most) {
    const std::uint8_t status = TRY(line_status());
    if ((status & kLsrData) == 0) break;
    into[size++] = in(kData);
  }
  return size;
}

/// take reads what is there without waiting: 0 octets if there is nothing.
Result<std::size_t> UartTransport::take(MutBytes into) {
  if (burst_read_ == 1) return take_by_one(into);
  if (known_ == 0) {
    const std::uint8_t cause = in(kIirFcr)&kIirCause;
    if (cause == kIirNone) return std::size_t{0};
    // Less than the trigger level, an error, or a host that plays: LSR tells.
    if (cause != kIirReceived) return take_by_one(into);
    known_ = burst_read_;
  }
  const std::size_t size = std::min(into.size(), known_);
  ports_.in_string(port(kData), into.first(size));
  known_ -= size;
  // An error inside of what was taken shows in LSR now. Once a call is enough: it is at the end of a frame that nobody
  // would look again.
  if (size == into.size()) TRY(line_status());
  return size;
}

Result<std::size_t> UartTransport::read_some(MutBytes into, Deadline until) {
  if (into.empty()) return Error{Errc::bad_length, "read_some", 0, 1};
  for (Backoff idle(clock_, until);; idle.nap()) {
    if (idle.expired()) return Error{Errc::deadline, "UART"};
    const std::size_t size = TRY(take(into));
    if (size > 0) return size;
  }
}

Status UartTransport::write_all(Bytes from, Deadline until) {
  Backoff idle(clock_, until);
  while (!from.empty()) {
    if (idle.expired()) return Error{Errc::deadline, "UART"};
    const std::uint8_t status = TRY(line_status());
    if ((status & kLsrRoom) == 0) {
      idle.nap();
      continue;
    }
    const std::size_t size = std::min(from.size(), burst_write_);
    ports_.out_string(port(kData), from.first(size));
    from = from.subspan(size);
    idle.found_work();
  }
  return ok();
}

}  // namespace attestbed::guest
