// SPDX-License-Identifier: Apache-2.0
#include "sim/uart_line.h"

#include <gtest/gtest.h>

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

enum : unsigned { kData, kIer, kIirFcr, kLcr, kMcr, kLsr };

/// Everything that the guest reads of `octets` by LSR, and the errors that LSR showed on the way.
struct Read {
  std::string octets;
  unsigned errors = 0;
};
Read read_all(UartLine& line) {
  Read read;
  for (unsigned status = line.in(kLsr); (status & 0x01) != 0; status = line.in(kLsr)) {
    read.errors |= status & 0x1e;
    read.octets.push_back(static_cast<char>(line.in(kData)));
  }
  return read;
}

struct FaultCase {
  const char* name;
  std::vector<const char*> plan;
  const char* octets;
  unsigned errors;
};
class UartFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(UartFaults, ChangeWhatArrives) {
  ManualClock clock;
  UartFaultPlan plan;
  for (const char* text : GetParam().plan) plan.push_back(*parse_uart_fault(text));
  UartLine line(clock, plan);
  line.out(kIirFcr, 0xc1);
  ASSERT_TRUE(line.far().write_all(bytes_of("abcdefghijklmnopqrstuvwxyz"), clock.now() + 1s));
  const Read read = read_all(line);
  EXPECT_EQ(read.octets, GetParam().octets);
  EXPECT_EQ(read.errors, GetParam().errors);
}
INSTANTIATE_TEST_SUITE_P(
    Plans, UartFaults,
    testing::Values(FaultCase{"None", {}, "abcdefghijklmnopqrstuvwxyz", 0},
                    FaultCase{"FlipBit", {"2:flip_bit:5"}, "aBcdefghijklmnopqrstuvwxyz", 0},
                    FaultCase{"FlipBitOnwards", {"25+:flip_bit:5"}, "abcdefghijklmnopqrstuvwxYZ", 0},
                    FaultCase{"Insert", {"1:insert:63"}, "?abcdefghijklmnopqrstuvwxyz", 0},
                    FaultCase{"Framing", {"3:framing"}, "abcdefghijklmnopqrstuvwxyz", 0x08},
                    FaultCase{"Break", {"1:line_break", "1:flip_bit:6"}, "@bcdefghijklmnopqrstuvwxyz", 0x10},
                    FaultCase{"Overrun", {"1:overrun:20"}, "abcdefghijklmnopuvwxyz", 0x02},
                    FaultCase{"OverrunOnwards", {"1+:overrun"}, "abcdefghijklmnop", 0x02}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(UartFault, TextIsReadBack) {
  for (const char* text :
       {"1:overrun", "7+:overrun:40", "2:flip_bit:7", "9:insert:255", "3+:framing", "4:line_break"}) {
    const auto fault = parse_uart_fault(text);
    ASSERT_TRUE(fault) << text;
    EXPECT_EQ(uart_fault_text(*fault), text);
  }
}

TEST(UartFault, RefusesWhatIsNoFault) {
  for (const char* text :
       {"", ":", "0:overrun", "x:overrun", "1:", "1:busy", "1:flip_bit", "1:flip_bit:8", "1:insert:256",
        "1:insert:", "1:framing:1", "1:line_break:", "1:overrun:1:2", "1++:overrun"}) {
    const auto fault = parse_uart_fault(text);
    ASSERT_FALSE(fault) << text;
    EXPECT_EQ(fault.error().code, Errc::bad_config);
  }
}

TEST(UartLine, FillsTheReceiverAsQemuDoesOrWhole) {
  ManualClock clock;
  for (const auto& [fill, expected] : {std::pair{UartLine::Fill::to_trigger, std::uint64_t{8}},
                                       std::pair{UartLine::Fill::to_depth, std::uint64_t{16}}}) {
    UartLine line(clock, {}, {.capacity = 64, .fill = fill});
    line.out(kIirFcr, 0x81);
    ASSERT_TRUE(line.far().write_all(ByteArray<40>{}, clock.now() + 1s));
    EXPECT_EQ(line.counts().received, expected);
    (void)line.in(kData);
    EXPECT_EQ(line.counts().received, expected + 1);
    EXPECT_EQ(line.counts().rx_overruns, 0U);
  }
}

TEST(UartLine, APeerThatDoesNotReadKeepsTheTransmitterFull) {
  ManualClock clock;
  UartLine line(clock, {}, {.capacity = 20});
  line.out(kIirFcr, 0x01);
  line.out_string(kData, bytes_of("0123456789abcdef"));
  EXPECT_EQ(line.in(kLsr), 0x60);
  line.out_string(kData, bytes_of("ghijklmnopqrstuv"));
  EXPECT_EQ(line.in(kLsr), 0x00);
  ByteArray<64> room{};
  EXPECT_EQ(*line.far().read_some(room, clock.now() + 1s), 20U);
  EXPECT_EQ(*line.far().read_some(room, clock.now() + 1s), 12U) << "what waited in the FIFO moves without the guest";
  EXPECT_EQ(line.in(kLsr), 0x60);
}

TEST(UartLine, TheFarEndMissesItsDeadlineAndCanBeClosed) {
  ManualClock clock;
  UartLine line(clock, {}, {.capacity = 4});
  ByteArray<1> room{};
  const Instant until = clock.now() + 5s;
  EXPECT_EQ(line.far().read_some(room, until).error().code, Errc::deadline);
  EXPECT_EQ(clock.now(), until);
  EXPECT_EQ(line.far().write_all(ByteArray<9>{}, until + 1s).error().code, Errc::deadline);
  line.far().close();
  EXPECT_EQ(line.far().read_some(room, until + 2s).error().code, Errc::closed);
  EXPECT_EQ(line.far().write_all(room, until + 2s).error().code, Errc::closed);
}

}  // namespace
}  // namespace attestbed::sim
