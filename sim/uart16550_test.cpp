// SPDX-License-Identifier: Apache-2.0
// Expected values are those of the PC16550D data sheet, section 8; what differs from it is said in the header.
#include "sim/uart16550.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sim/manual_clock.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

enum : unsigned { kData, kIer, kIirFcr, kLcr, kMcr, kLsr, kMsr, kScr };

class Uart : public testing::Test {
 protected:
  void receive(std::size_t octets) {
    for (std::size_t i = 0; i < octets; ++i) uart_.receive(static_cast<std::uint8_t>(i + 1));
  }
  ManualClock clock_;
  Uart16550 uart_{clock_};
};

/// Access is one step of a table: a value written, or a value that a read must yield.
struct Access {
  unsigned offset;
  char direction;  // 'w' or 'r'
  unsigned value;
};
struct RegisterCase {
  const char* name;
  std::vector<Access> steps;
};
class UartRegisters : public Uart, public testing::WithParamInterface<RegisterCase> {};

TEST_P(UartRegisters, ReadAsTheDataSheetSays) {
  int number = 0;
  for (const Access& step : GetParam().steps) {
    SCOPED_TRACE("step " + std::to_string(number++));
    if (step.direction == 'w') {
      uart_.out(step.offset, static_cast<std::uint8_t>(step.value));
    } else {
      EXPECT_EQ(unsigned{uart_.in(step.offset)}, step.value);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    DataSheet, UartRegisters,
    testing::Values(
        RegisterCase{"AfterReset",
                     {{kIer, 'r', 0}, {kIirFcr, 'r', 1}, {kLcr, 'r', 0}, {kMcr, 'r', 0}, {kLsr, 'r', 0x60}}},
        RegisterCase{"ScratchKeeps", {{kScr, 'w', 0xa5}, {kScr, 'r', 0xa5}, {kScr, 'w', 0x5a}, {kScr, 'r', 0x5a}}},
        RegisterCase{"DivisorLatchHidesDataAndInterrupts",
                     {{kIer, 'w', 0x05},
                      {kLcr, 'w', 0x83},
                      {kData, 'w', 0x34},
                      {kIer, 'w', 0x12},
                      {kData, 'r', 0x34},
                      {kIer, 'r', 0x12},
                      {kLcr, 'w', 0x03},
                      {kIer, 'r', 0x05},
                      {kLsr, 'r', 0x60}}},
        RegisterCase{"InterruptEnableHasFourBits", {{kIer, 'w', 0xff}, {kIer, 'r', 0x0f}}},
        RegisterCase{"ModemControlHasFiveBits", {{kMcr, 'w', 0xff}, {kMcr, 'r', 0x1f}}},
        RegisterCase{"LineStatusIsForReading", {{kLsr, 'w', 0xff}, {kLsr, 'r', 0x60}}},
        RegisterCase{"FifosShowInIir",
                     {{kIirFcr, 'w', 0x01}, {kIirFcr, 'r', 0xc1}, {kIirFcr, 'w', 0}, {kIirFcr, 'r', 1}}},
        RegisterCase{"FifoBitsNeedTheEnablingBit", {{kIirFcr, 'w', 0xc0}, {kIirFcr, 'r', 0x01}}},
        RegisterCase{"TransmitterInterruptWhenEnabledAndGoneOnceRead",
                     {{kIer, 'w', 0x02}, {kIirFcr, 'r', 0x02}, {kIirFcr, 'r', 0x01}}},
        RegisterCase{"WritingEndsTheTransmitterInterrupt",
                     {{kIer, 'w', 0x02}, {kData, 'w', 'x'}, {kIirFcr, 'r', 0x01}, {kLsr, 'r', 0x00}}},
        RegisterCase{"ModemLinesOfAPeerThatIsThere", {{kMsr, 'r', 0xb0}}},
        RegisterCase{
            "LoopbackTurnsModemControlIntoModemStatus",
            {{kMcr, 'w', 0x1f}, {kMsr, 'r', 0xf0}, {kMcr, 'w', 0x11}, {kMsr, 'r', 0x20 | 0x0d}, {kMsr, 'r', 0x20}}},
        RegisterCase{"LoopbackReceivesWhatIsSent",
                     {{kMcr, 'w', 0x10}, {kData, 'w', 'a'}, {kLsr, 'r', 0x61}, {kData, 'r', 'a'}, {kLsr, 'r', 0x60}}},
        RegisterCase{"LoopbackCanOverrun",
                     {{kMcr, 'w', 0x10},
                      {kData, 'w', 'a'},
                      {kLsr, 'r', 0x61},
                      {kData, 'w', 'b'},
                      {kLsr, 'r', 0x63},
                      {kData, 'r', 'b'}}}),
    [](const auto& test) { return std::string(test.param.name); });

struct TriggerCase {
  std::uint8_t fcr;
  std::size_t level;
};
class UartTriggers : public Uart, public testing::WithParamInterface<TriggerCase> {};

TEST_P(UartTriggers, AnnounceAtTheirLevelAndNotBelow) {
  uart_.out(kIirFcr, GetParam().fcr);
  uart_.out(kIer, 0x01);
  EXPECT_EQ(uart_.room_below_trigger(), GetParam().level);
  receive(GetParam().level - 1);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1);
  receive(1);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc4);
  EXPECT_EQ(uart_.room_below_trigger(), 0U);
  EXPECT_EQ(uart_.room(), 16 - GetParam().level);
  (void)uart_.in(kData);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1) << "the indication ends below the level";
}
INSTANTIATE_TEST_SUITE_P(Levels, UartTriggers,
                         testing::Values(TriggerCase{0x01, 1}, TriggerCase{0x41, 4}, TriggerCase{0x81, 8},
                                         TriggerCase{0xc1, 14}),
                         [](const auto& test) { return "Of" + std::to_string(test.param.level); });

TEST_F(Uart, TimesOutAfterFourCharactersOfSilence) {
  uart_.out(kLcr, 0x83);
  uart_.out(kData, 1);
  uart_.out(kIer, 0);
  uart_.out(kLcr, 0x03);
  uart_.out(kIirFcr, 0xc1);
  uart_.out(kIer, 0x01);
  receive(2);
  // Four times ten bits at 115200 baud: 347.2 µs.
  clock_.advance(347us);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1);
  clock_.advance(1us);
  EXPECT_EQ(uart_.in(kIirFcr), 0xcc);
  EXPECT_EQ(uart_.in(kData), 1);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1) << "reading starts the time anew";
  clock_.advance(348us);
  EXPECT_EQ(uart_.in(kIirFcr), 0xcc);
  uart_.receive(9);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1) << "and so does an octet that arrives";
}

TEST_F(Uart, NoTimeOutWithoutFifos) {
  uart_.out(kIer, 0x01);
  receive(1);
  clock_.advance(1s);
  EXPECT_EQ(uart_.in(kIirFcr), 0x04);
}

TEST_F(Uart, FifoKeepsTheOrderAndSixteenOctets) {
  uart_.out(kIirFcr, 0x01);
  receive(17);
  EXPECT_EQ(uart_.in(kLsr), 0x63);
  EXPECT_EQ(uart_.in(kLsr), 0x61) << "reading ends the overrun indication";
  ByteArray<16> read{}, expected{};
  std::iota(expected.begin(), expected.end(), std::uint8_t{1});
  uart_.in_string(kData, read);
  EXPECT_EQ(read, expected) << "the octet that came too late is the one that is lost";
  EXPECT_EQ(uart_.counts().rx_overruns, 1U);
  EXPECT_EQ(uart_.in(kLsr), 0x60);
}

TEST_F(Uart, WithoutFifosTheLaterOctetStays) {
  receive(2);
  EXPECT_EQ(uart_.in(kLsr), 0x63);
  EXPECT_EQ(uart_.in(kData), 2);
}

TEST_F(Uart, ErrorsShowWhenTheirOctetIsNext) {
  uart_.out(kIirFcr, 0xc1);
  uart_.out(kIer, 0x05);
  uart_.receive('a');
  uart_.receive('b', Uart16550::kFramingError);
  uart_.receive('c');
  EXPECT_EQ(uart_.in(kLsr), 0x80 | 0x61) << "somewhere in the FIFO";
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1);
  (void)uart_.in(kData);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc6) << "line status comes first";
  EXPECT_EQ(uart_.in(kLsr), 0x80 | 0x61 | 0x08);
  EXPECT_EQ(uart_.in(kLsr), 0x61);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1);
}

TEST_F(Uart, BreakIsAZeroOctetWithItsIndication) {
  uart_.receive(0, Uart16550::kBreak);
  EXPECT_EQ(uart_.in(kLsr), 0x71);
  EXPECT_EQ(uart_.in(kData), 0);
}

TEST_F(Uart, TransmitsSixteenByThre) {
  uart_.out(kIirFcr, 0x01);
  ByteArray<20> octets{};
  std::iota(octets.begin(), octets.end(), std::uint8_t{0});
  uart_.out_string(kData, octets);
  EXPECT_EQ(uart_.counts().tx_overruns, 4U);
  EXPECT_EQ(uart_.in(kLsr), 0x00);
  ByteArray<32> sent{};
  ASSERT_EQ(uart_.transmit(sent), 16U);
  EXPECT_TRUE(std::equal(octets.begin(), octets.begin() + 16, sent.begin()));
  uart_.out(kData, 'x');
  EXPECT_EQ(uart_.counts().tx_overruns, 5U) << "the room is there, but nobody looked";
  EXPECT_EQ(uart_.in(kLsr), 0x60);
  uart_.out(kData, 'x');
  EXPECT_EQ(uart_.transmit(sent), 1U);
}

TEST_F(Uart, WithoutFifosTransmitsOneByThre) {
  uart_.out_string(kData, bytes_of("ab"));
  EXPECT_EQ(uart_.counts().tx_overruns, 1U);
}

TEST_F(Uart, FcrEmptiesOneFifoOrTheOther) {
  uart_.out(kIirFcr, 0x01);
  receive(3);
  uart_.out_string(kData, bytes_of("abc"));
  uart_.out(kIirFcr, 0x03);
  EXPECT_EQ(uart_.rx_level(), 0U);
  EXPECT_EQ(uart_.tx_level(), 3U);
  receive(3);
  uart_.out(kIirFcr, 0x05);
  EXPECT_EQ(uart_.rx_level(), 3U);
  EXPECT_EQ(uart_.tx_level(), 0U);
  uart_.out(kIirFcr, 0x81);
  EXPECT_EQ(uart_.rx_level(), 3U) << "another trigger level leaves them alone";
  uart_.out(kIirFcr, 0x00);
  EXPECT_EQ(uart_.rx_level(), 0U) << "turning them off does not";
}

TEST_F(Uart, LoopbackCutsTheLineOff) {
  uart_.out(kMcr, 0x10);
  uart_.receive('x');
  EXPECT_EQ(uart_.room(), 0U);
  EXPECT_EQ(uart_.in(kLsr), 0x60);
  uart_.out(kData, 'y');
  ByteArray<4> sent{};
  EXPECT_EQ(uart_.transmit(sent), 0U);
}

TEST_F(Uart, CountsWhatAHypervisorWouldIntercept) {
  uart_.out(kIirFcr, 0xc1);                  // 1
  uart_.out(kIer, 0x01);                     // 2
  EXPECT_EQ(uart_.in(kIirFcr), 0xc1);        // idle
  uart_.out_string(kData, ByteArray<16>{});  // 3
  EXPECT_EQ(uart_.in(kLsr), 0x00);           // idle: nothing to read, no room
  ByteArray<16> sent{};
  uart_.transmit(sent);
  EXPECT_EQ(uart_.in(kLsr), 0x60);  // 4
  receive(14);
  EXPECT_EQ(uart_.in(kIirFcr), 0xc4);  // 5
  ByteArray<17> read{};
  uart_.in_string(kData, read);  // 6, 7
  const UartCounts& counts = uart_.counts();
  EXPECT_EQ(counts.intercepted, 7U);
  EXPECT_EQ(counts.idle_polls, 2U);
  EXPECT_EQ(counts.accesses, 2U + 1 + 16 + 1 + 1 + 1 + 17);
  EXPECT_EQ(counts.sent, 16U);
  EXPECT_EQ(counts.received, 14U);
  EXPECT_EQ(counts.empty_reads, 3U);
}

}  // namespace
}  // namespace attestbed::sim
