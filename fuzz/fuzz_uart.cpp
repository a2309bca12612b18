// SPDX-License-Identifier: Apache-2.0
// Two properties, by the first octet. Even: whatever a guest does to the registers and a host sends, no FIFO holds more
// than its 16 octets, and every octet is accounted for, in order: what the far end sent is what is read or waits,
// unless a FIFO was emptied or overrun. Odd: our driver against a host that sends, reads and disturbs as it likes ends
// each call by its deadline, never overruns the transmitter, never reads an empty receiver, and without a fault passes
// on exactly the octets that were sent, both ways.
#include <algorithm>
#include <optional>
#include <vector>

#include "fuzz/must.h"
#include "guest/uart_transport.h"
#include "sim/uart_line.h"

using namespace attestbed;
using namespace std::chrono_literals;

namespace {

/// Choices are the fuzzer's octets, one at a time; zeros at their end.
class Choices {
 public:
  explicit Choices(Bytes octets) : rest_(octets) {}
  bool done() const { return rest_.empty(); }
  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const std::uint8_t octet = rest_.front();
    rest_ = rest_.subspan(1);
    return octet;
  }

 private:
  Bytes rest_;
};

std::vector<std::uint8_t> counting(std::size_t from, std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>((from + i) % 251);
  return octets;
}

void registers(Choices choices) {
  sim::ManualClock clock;
  sim::Uart16550 uart(clock);
  std::size_t arrived = 0, written = 0, sent = 0;
  bool out_of_step = false;            // octets were emptied out of a FIFO, overrun, or looped back
  std::vector<std::uint8_t> expected;  // what the receiver holds
  while (!choices.done()) {
    const std::uint8_t step = choices.next();
    const unsigned offset = step & 7;
    const bool divisor = (uart.in(3) & 0x80) != 0, looped = (uart.in(4) & 0x10) != 0;
    switch (step >> 3 & 7) {
      case 0: {
        const std::uint8_t value = uart.in(offset);
        if (offset == 0 && !divisor && !expected.empty() && !out_of_step) {
          fuzz::must(value == expected.front(), "octets are read in the order in which they came");
          expected.erase(expected.begin());
        }
        break;
      }
      case 1:
      case 2: {
        const bool data = offset == 0 && !divisor;
        const std::uint8_t value = data ? static_cast<std::uint8_t>(written++ % 251) : choices.next();
        uart.out(offset, value);
        if ((data && looped) || offset == 2) out_of_step = true;
        break;
      }
      case 3:
      case 4: {
        const std::size_t size = std::min<std::size_t>(choices.next() % 20U, uart.room());
        for (const std::uint8_t octet : counting(arrived, size)) {
          uart.receive(octet);
          expected.push_back(octet);
        }
        arrived += size;
        fuzz::must(uart.counts().rx_overruns == 0 || out_of_step, "who keeps to the room loses nothing");
        break;
      }
      case 5: {
        ByteArray<32> room;
        const std::size_t size = uart.transmit(MutBytes(room).first(choices.next() % 33U));
        const bool lost = uart.counts().tx_overruns > 0 || out_of_step;
        fuzz::must(lost || std::ranges::equal(counting(sent, size), MutBytes(room).first(size)),
                   "octets go out in the order in which they were written");
        sent += size;
        break;
      }
      case 6:
        uart.receive(choices.next(), choices.next());
        out_of_step = true;
        break;
      default:
        clock.advance(std::chrono::microseconds(choices.next() * 16));
    }
    fuzz::must(uart.rx_level() <= 16 && uart.tx_level() <= 16, "a FIFO holds 16 octets");
    fuzz::must(out_of_step || uart.rx_level() == expected.size(), "no octet is lost or invented");
    fuzz::must(sent <= written, "no octet is sent that was not written");
    const sim::UartCounts& counts = uart.counts();
    fuzz::must(counts.intercepted + counts.idle_polls <= counts.accesses, "an access is counted once");
  }
}

/// The host acts while the guest waits, as it likes.
class FuzzedHost final : public Clock {
 public:
  FuzzedHost(Choices& choices, sim::UartFaultPlan faults)
      : choices_(choices), line(clock_, std::move(faults), {.capacity = 200}) {}
  Instant now() override { return clock_.now(); }
  void wait_until(Instant until) override {
    act();
    clock_.wait_until(until);
  }
  void act() {
    const std::uint8_t step = choices_.next();
    if ((step & 1) != 0) {
      // What does not fit stays unsent: a far end that waits would only move the clock.
      const std::size_t size = std::min<std::size_t>(step >> 1, 200 - in_flight());
      (void)line.far().write_all(counting(sent, size), clock_.now() + 1ns);
      sent += size;
    } else if (step != 0) {
      ByteArray<128> room;
      const auto got = line.far().read_some(MutBytes(room).first(step >> 1), clock_.now() + 1ns);
      if (got) received.insert(received.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*got));
    }
  }
  std::size_t in_flight() const { return sent - static_cast<std::size_t>(line.counts().received); }

 private:
  Choices& choices_;
  sim::ManualClock clock_;

 public:
  sim::UartLine line;
  std::size_t sent = 0;
  std::vector<std::uint8_t> received;
};

sim::UartFaultPlan plan_of(Choices& choices) {
  sim::UartFaultPlan plan;
  for (int faults = choices.next() % 4; faults > 0; --faults) {
    sim::UartFault fault{.nth_octet = choices.next() + std::uint64_t{1},
                         .onwards = choices.next() % 8 == 0,
                         .kind = static_cast<sim::UartFaultKind>(choices.next() % 5),
                         .argument = {}};
    if (fault.kind == sim::UartFaultKind::flip_bit) fault.argument = static_cast<std::uint8_t>(choices.next() % 8);
    if (fault.kind == sim::UartFaultKind::insert) fault.argument = choices.next();
    const auto same = sim::parse_uart_fault(sim::uart_fault_text(fault));
    fuzz::must(same && *same == fault, "a plan is repeated from its print");
    plan.push_back(fault);
  }
  return plan;
}

void driver(Choices choices) {
  const sim::UartFaultPlan faults = plan_of(choices);
  FuzzedHost host(choices, faults);
  guest::DevicePorts<sim::UartLine> ports(host.line, guest::kCom3);
  Result<guest::UartTransport> uart = guest::UartTransport::open(ports, guest::kCom3, host);
  fuzz::must(bool(uart), "a UART that is there is found");

  std::size_t read = 0, written = 0;
  bool broken = false;  // a write that failed has written an unknown part
  while (!choices.done() && !broken) {
    const std::uint8_t step = choices.next();
    const Deadline until = host.now() + std::chrono::microseconds(choices.next() * 40);
    ByteArray<64> room;
    const std::size_t size = (step >> 1) % 64 + 1U;
    Errc code{};
    if ((step & 1) != 0) {
      const auto got = uart->read_some(MutBytes(room).first(size), until);
      if (!got) code = got.error().code;
      if (got) {
        fuzz::must(*got >= 1 && *got <= size, "a read fits its room");
        fuzz::must(!faults.empty() || std::ranges::equal(counting(read, *got), MutBytes(room).first(*got)),
                   "what is read is what was sent");
        read += *got;
      }
    } else {
      const auto octets = counting(written, size);
      const Status wrote = uart->write_all(octets, until);
      if (!wrote) code = wrote.error().code;
      broken = !wrote;
      written += size;
    }
    fuzz::must(host.now() <= until + 1us, "a call returns by its deadline");
    fuzz::must(code == Errc{} || code == Errc::deadline || (!faults.empty() && code == Errc::uart_overrun),
               "without a fault only time ends a call");
  }
  const sim::UartCounts counts = host.line.counts();
  fuzz::must(counts.tx_overruns == 0, "the driver never overruns the transmitter");
  fuzz::must(!faults.empty() || counts.rx_overruns + counts.empty_reads == 0, "without a fault no octet is lost");
  fuzz::must(std::ranges::equal(counting(0, host.received.size()), host.received), "the host gets what was written");
  fuzz::must(host.received.size() <= written, "and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const Choices choices(Bytes(data, size).subspan(1));
  (data[0] & 1) == 0 ? registers(choices) : driver(choices);
  return 0;
}
