// SPDX-License-Identifier: Apache-2.0
// Two properties, by the first octet. Even: whatever a guest does to the registers and a host sends, no FIFO holds more
// than its 16 octets, and every octet is accounted for, in order, both ways: it is read or sent, or waits, or the guest
// emptied its FIFO, or its loss is counted. Odd: our driver against a host that sends, reads and disturbs as it likes
// ends each call by its deadline, never overruns the transmitter, never reads an empty receiver, and without a fault
// passes on exactly the octets that were sent, both ways.
#include <algorithm>
#include <deque>
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

/// What the FIFOs hold, as the data sheet has it: the oracle of the registers' property.
struct Fifos {
  bool on = false;
  std::deque<std::uint8_t> received, written;
  std::uint64_t received_lost = 0, written_lost = 0;
  std::size_t free_to_write = 1;  // octets that a guest may write, after what it has seen of the transmitter

  std::size_t depth() const { return on ? 16 : 1; }
  void arrives(std::uint8_t octet) {
    if (received.size() == depth()) {
      ++received_lost;
      if (on) return;  // without FIFOs it takes the place of the one that nobody read
      received.clear();
    }
    received.push_back(octet);
  }
  void control(std::uint8_t fcr) {
    const bool toggled = on != ((fcr & 1) != 0);
    on = (fcr & 1) != 0;
    if (toggled || (fcr & 2) != 0) received.clear();
    if (toggled || (fcr & 4) != 0) {
      written.clear();
      free_to_write = depth();
    }
  }
};

void registers(Choices choices) {
  sim::ManualClock clock;
  sim::Uart16550 uart(clock);
  Fifos fifos;
  std::size_t arrived = 0, written = 0;
  while (!choices.done()) {
    const std::uint8_t step = choices.next();
    const unsigned offset = step & 7;
    const bool divisor = (uart.in(3) & 0x80) != 0, looped = (uart.in(4) & 0x10) != 0;
    const bool data = offset == 0 && !divisor;
    const sim::UartCounts before = uart.counts();
    switch (step >> 3 & 7) {
      case 0: {
        const std::uint8_t value = uart.in(offset);
        if (data && !fifos.received.empty()) {
          fuzz::must(value == fifos.received.front(), "octets are read in the order in which they came");
          fifos.received.pop_front();
        } else if (data) {
          fuzz::must(uart.counts().empty_reads == before.empty_reads + 1, "a read of nothing is counted");
        }
        if (offset == 5 && (value & 0x20) != 0) fifos.free_to_write = fifos.depth();
        break;
      }
      case 1:
      case 2: {
        const std::uint8_t value = data ? static_cast<std::uint8_t>(written++ % 251) : choices.next();
        uart.out(offset, value);
        if (offset == 2) fifos.control(value);
        if (!data) break;
        const bool lost = uart.counts().tx_overruns > before.tx_overruns;
        fuzz::must(!lost || fifos.free_to_write == 0, "who writes only when there is room loses nothing");
        fifos.written_lost += lost ? 1 : 0;
        fifos.free_to_write -= std::min<std::size_t>(fifos.free_to_write, 1);
        if (!lost && looped) fifos.arrives(value);
        if (!lost && !looped) fifos.written.push_back(value);
        break;
      }
      case 3:
      case 4: {
        fuzz::must(uart.room() == (looped ? 0 : fifos.depth() - fifos.received.size()), "room is what is not taken");
        const std::size_t size = std::min<std::size_t>(choices.next() % 20U, uart.room());
        for (const std::uint8_t octet : counting(arrived, size)) {
          uart.receive(octet);
          fifos.arrives(octet);
        }
        arrived += size;
        fuzz::must(uart.counts().rx_overruns == before.rx_overruns, "who keeps to the room loses nothing");
        break;
      }
      case 5: {
        ByteArray<32> room;
        const std::size_t size = uart.transmit(MutBytes(room).first(choices.next() % 33U));
        fuzz::must(size <= fifos.written.size() && (!looped || size == 0), "no octet is sent that was not written");
        const auto end = fifos.written.begin() + static_cast<std::ptrdiff_t>(size);
        fuzz::must(std::equal(fifos.written.begin(), end, room.begin()),
                   "octets go out in the order in which they were written");
        fifos.written.erase(fifos.written.begin(), end);
        break;
      }
      case 6: {
        const std::uint8_t octet = choices.next();
        uart.receive(octet, choices.next());
        if (!looped) fifos.arrives(octet);
        break;
      }
      default:
        clock.advance(std::chrono::microseconds(choices.next() * 16));
    }
    fuzz::must(uart.rx_level() <= 16 && uart.tx_level() <= 16, "a FIFO holds 16 octets");
    fuzz::must(uart.rx_level() == fifos.received.size() && uart.tx_level() == fifos.written.size(),
               "no octet is lost or invented");
    const sim::UartCounts& counts = uart.counts();
    fuzz::must(counts.rx_overruns == fifos.received_lost && counts.tx_overruns == fifos.written_lost,
               "every loss is counted");
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
