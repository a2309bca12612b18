// SPDX-License-Identifier: Apache-2.0
#include "guest/uart_transport.h"

#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/posix/clock.h"
#include "core/posix/transport_contract.h"
#include "sim/uart_line.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;
using sim::UartLine;

using Ports = DevicePorts<UartLine>;

/// The driver over the model, for the suite that every Transport passes.
struct UartModel {
  static constexpr bool kKeepsDataOnClose = false;
  static constexpr bool kShowsClose = false;
  Transport& near() { return *uart_; }
  Transport& far() { return line_.far(); }
  void close_far() { line_.far().close(); }
  Clock& clock() { return clock_; }

 private:
  posix::SteadyClock clock_;
  UartLine line_{clock_};
  Ports ports_{line_, kCom3};
  Result<UartTransport> uart_ = UartTransport::open(ports_, kCom3, clock_);
};
}  // namespace
}  // namespace attestbed::guest

namespace attestbed {
INSTANTIATE_TYPED_TEST_SUITE_P(UartModel, TransportContract, guest::UartModel);
// Nothing waits inside of the driver that somebody could want to cancel.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CancellableTransportContract);
}  // namespace attestbed

namespace attestbed::guest {
namespace {

class UartDriver : public testing::Test {
 protected:
  void open(sim::UartFaultPlan faults = {}, UartLine::Options options = {}) {
    line_.emplace(clock_, std::move(faults), options);
    ports_.emplace(*line_, kCom3);
    open_through(*ports_);
    before_ = line_->counts();
  }
  void open_through(PortIo& ports) {
    Result<UartTransport> uart = UartTransport::open(ports, kCom3, clock_);
    ASSERT_TRUE(uart) << uart.error().where;
    uart_.emplace(*uart);
  }
  Deadline later() { return clock_.now() + 1s; }
  void host_sends(Bytes octets) { ASSERT_TRUE(line_->far().write_all(octets, later())); }
  std::vector<std::uint8_t> host_reads() {
    std::vector<std::uint8_t> octets(1 << 16);
    octets.resize(*line_->far().read_some(octets, later()));
    return octets;
  }
  /// Reads as receive_frame does: exactly this many, or the error.
  Result<std::vector<std::uint8_t>> read(std::size_t size) {
    std::vector<std::uint8_t> octets(size);
    for (std::size_t have = 0; have < size;) {
      have += TRY(uart_->read_some(MutBytes(octets).subspan(have), later()));
    }
    return octets;
  }
  std::uint64_t intercepted() const { return line_->counts().intercepted - before_.intercepted; }

  sim::ManualClock clock_;
  std::optional<UartLine> line_;
  std::optional<Ports> ports_;
  std::optional<UartTransport> uart_;
  sim::UartCounts before_;
};

TEST_F(UartDriver, FindsTheFifosAndTheirTriggerLevel) {
  open();
  EXPECT_EQ(uart_->burst_read(), 14U);
  EXPECT_EQ(uart_->burst_write(), 16U);
  EXPECT_EQ(line_->in(3), 0x03) << "8N1";
  EXPECT_EQ(line_->in(4), 0x03) << "DTR and RTS, no loop-back, and no OUT2, which would let interrupts out";
  line_->out(3, 0x83);
  EXPECT_EQ(line_->in(0), 1) << "115200 baud";
  EXPECT_EQ(line_->in(1), 0);
  EXPECT_EQ(line_->counts().sent + line_->counts().received, 0U) << "the probing stays inside";
}

TEST_F(UartDriver, FindsNothingWhereNothingIs) {
  open();
  const auto absent = UartTransport::open(*ports_, 0x2f8, clock_);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::uart_absent);
}

/// A line whose registers differ from a 16550's in one way.
enum class Quirk { scratch_stuck, no_fifos, announces_every_octet, gone };
class QuirkyPorts final : public PortIo {
 public:
  QuirkyPorts(UartLine& line, Quirk quirk) : ports_(line, kCom3), quirk_(quirk) {}
  std::uint8_t in(std::uint16_t port) override {
    if (quirk_ == Quirk::gone) return 0xff;
    if (quirk_ == Quirk::scratch_stuck && port == kCom3 + 7) return 0x5a;
    const std::uint8_t value = ports_.in(port);
    if (port != kCom3 + 2) return value;
    if (quirk_ == Quirk::no_fifos) return value & 0x0f;
    if (quirk_ == Quirk::announces_every_octet) return 0xc4;
    return value;
  }
  void out(std::uint16_t port, std::uint8_t value) override {
    if (quirk_ == Quirk::no_fifos && port == kCom3 + 2) return;
    ports_.out(port, value);
  }
  void in_string(std::uint16_t port, MutBytes into) override { ports_.in_string(port, into); }
  void out_string(std::uint16_t port, Bytes from) override { ports_.out_string(port, from); }
  void become(Quirk quirk) { quirk_ = quirk; }

 private:
  Ports ports_;
  Quirk quirk_;
};

TEST_F(UartDriver, RefusesWhatKeepsNoScratchRegister) {
  open();
  QuirkyPorts ports(*line_, Quirk::scratch_stuck);
  const auto absent = UartTransport::open(ports, kCom3, clock_);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::uart_absent);
  EXPECT_STREQ(absent.error().where, "scratch register");
}

struct SlowUart {
  const char* name;
  Quirk quirk;
  std::size_t burst_write;
};
class SlowUarts : public UartDriver, public testing::WithParamInterface<SlowUart> {};

TEST_P(SlowUarts, AreServedOctetByOctet) {
  open();
  QuirkyPorts ports(*line_, GetParam().quirk);
  open_through(ports);
  ASSERT_TRUE(uart_);
  EXPECT_EQ(uart_->burst_read(), 1U);
  EXPECT_EQ(uart_->burst_write(), GetParam().burst_write);
  const auto octets = counting(100);
  ASSERT_TRUE(uart_->write_all(octets, later()));
  EXPECT_EQ(host_reads(), octets);
  host_sends(octets);
  const auto back = read(octets.size());
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, octets);
  EXPECT_EQ(line_->counts().tx_overruns, 0U);
  EXPECT_EQ(line_->counts().empty_reads, 0U);
}
INSTANTIATE_TEST_SUITE_P(Kinds, SlowUarts,
                         testing::Values(SlowUart{"WithoutFifos", Quirk::no_fifos, 1},
                                         SlowUart{"WithoutTriggerLevel", Quirk::announces_every_octet, 16}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(UartDriver, AUartThatGoesAwayIsNoSilence) {
  open();
  QuirkyPorts ports(*line_, Quirk::announces_every_octet);
  open_through(ports);
  ASSERT_TRUE(uart_);
  ports.become(Quirk::gone);
  ByteArray<4> room{};
  EXPECT_EQ(uart_->read_some(room, later()).error().code, Errc::uart_absent);
  EXPECT_EQ(uart_->write_all(room, later()).error().code, Errc::uart_absent);
}

TEST_F(UartDriver, WritesSixteenOctetsWithTwoInstructions) {
  open();
  const auto octets = counting(160);
  ASSERT_TRUE(uart_->write_all(octets, later()));
  EXPECT_EQ(host_reads(), octets);
  EXPECT_EQ(intercepted(), 20U);
}

TEST_F(UartDriver, ReadsFourteenOctetsWithTwoInstructions) {
  open();
  const auto octets = counting(140);
  host_sends(octets);
  const auto got = read(octets.size());
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, octets);
  EXPECT_EQ(intercepted(), 21U) << "and one look at LSR at the end";
  EXPECT_EQ(line_->counts().empty_reads, 0U);
}

TEST_F(UartDriver, ReadsTheRestAfterTheTimeOut) {
  open();
  const auto octets = counting(14 + 5);
  host_sends(octets);
  const Instant began = clock_.now();
  const auto got = read(octets.size());
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, octets);
  // Four characters of silence, and at most twice that by the back-off.
  EXPECT_GE(clock_.now() - began, 347us);
  EXPECT_LE(clock_.now() - began, 1100us);
  EXPECT_EQ(intercepted(), 2U + 1 + 2 * 5);
}

TEST_F(UartDriver, PiecesOfAnySizeAreTheSameStream) {
  const auto octets = counting(3000);
  for (const std::size_t piece : {1U, 2U, 8U, 13U, 14U, 15U, 16U, 17U, 64U, 999U}) {
    for (const auto fill : {UartLine::Fill::to_trigger, UartLine::Fill::to_depth}) {
      SCOPED_TRACE(piece);
      open({}, {.capacity = 4096, .fill = fill});
      host_sends(octets);
      std::vector<std::uint8_t> got;
      while (got.size() < octets.size()) {
        const auto part = read(std::min(piece, octets.size() - got.size()));
        ASSERT_TRUE(part) << error_name(part.error().code);
        got.insert(got.end(), part->begin(), part->end());
      }
      EXPECT_EQ(got, octets);
      EXPECT_EQ(line_->counts().empty_reads, 0U);
    }
  }
}

TEST_F(UartDriver, AFullLineIsWaitedForAndNotOverrun) {
  open({}, {.capacity = 100});
  EXPECT_EQ(uart_->write_all(counting(500), later()).error().code, Errc::deadline);
  EXPECT_EQ(line_->counts().tx_overruns, 0U);
  std::vector<std::uint8_t> got = host_reads();
  const auto rest = host_reads();
  got.insert(got.end(), rest.begin(), rest.end());
  const auto sent = counting(500);
  EXPECT_TRUE(got.size() < 500 && std::equal(got.begin(), got.end(), sent.begin())) << got.size();
}

TEST_F(UartDriver, SilenceCostsFewPollsAndEndsAtTheDeadline) {
  open();
  ByteArray<8> room{};
  const Instant until = clock_.now() + 1s;
  EXPECT_EQ(uart_->read_some(room, until).error().code, Errc::deadline);
  EXPECT_EQ(clock_.now(), until) << "and not beyond it";
  EXPECT_EQ(intercepted(), 0U);
  // A millisecond each, after the eight naps below it.
  EXPECT_LE(line_->counts().idle_polls - before_.idle_polls, 1010U);
}

struct NoiseCase {
  const char* name;
  const char* fault;
};
class UartNoise : public UartDriver, public testing::WithParamInterface<NoiseCase> {};

TEST_P(UartNoise, IsSaidBeforeTheDeadline) {
  open({*sim::parse_uart_fault(GetParam().fault)});
  host_sends(counting(200));
  const Deadline until = later();
  std::vector<std::uint8_t> octets(200);
  std::optional<Error> error;
  for (std::size_t have = 0; have < octets.size() && !error;) {
    const auto got = uart_->read_some(MutBytes(octets).subspan(have), until);
    if (got) have += *got;
    if (!got) error = got.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::uart_overrun);
  EXPECT_NE(error->found & 0x9e, 0U) << "LSR says which";
  EXPECT_LT(clock_.now(), until);
}
INSTANTIATE_TEST_SUITE_P(Kinds, UartNoise,
                         testing::Values(NoiseCase{"Overrun", "30:overrun:60"},
                                         NoiseCase{"OverrunAllAlong", "1+:overrun"}, NoiseCase{"Framing", "60:framing"},
                                         NoiseCase{"Break", "3:line_break"}, NoiseCase{"InTheLastBlock", "199:framing"},
                                         NoiseCase{"InTheLastOctet", "200:framing"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(UartDriver, NoiseIsSeenByWritersToo) {
  open({*sim::parse_uart_fault("1:line_break")});
  host_sends(counting(1));
  EXPECT_EQ(uart_->write_all(counting(1), later()).error().code, Errc::uart_overrun);
  EXPECT_TRUE(uart_->write_all(counting(1), later())) << "it is said once";
}

}  // namespace
}  // namespace attestbed::guest
