// SPDX-License-Identifier: Apache-2.0
// The whole guest over the UART driver over the register model, in one thread and hermetically.
#include <gtest/gtest.h>

#include <algorithm>

#include "bench/inputs.h"
#include "bench/uart_attempt.h"
#include "core/posix/describe.h"

namespace attestbed {
namespace {

using bench::UartAttempt;

TEST(AttestOverUart, ReleasesTheRecordedSecret) {
  UartAttempt attempt;
  const Result<Released> released = attempt.run();
  ASSERT_TRUE(released) << posix::describe(released.error());
  EXPECT_TRUE(equal_ct(released->secret, bench::aproxy_case().plaintext));
  const sim::UartCounts counts = attempt.counts();
  EXPECT_GT(counts.sent, 1900U);
  EXPECT_EQ(counts.received,
            bench::aproxy_case().negotiation_response.size() + bench::aproxy_case().attestation_response.size());
  EXPECT_EQ(counts.tx_overruns, 0U);
  EXPECT_EQ(counts.rx_overruns, 0U);
  EXPECT_EQ(counts.empty_reads, 0U);
}

TEST(AttestOverUart, IsTheSameEveryTime) {
  UartAttempt first, second;
  ASSERT_TRUE(first.run());
  ASSERT_TRUE(second.run());
  EXPECT_EQ(first.counts().intercepted, second.counts().intercepted);
  EXPECT_EQ(first.counts().idle_polls, second.counts().idle_polls);
  EXPECT_EQ(first.waited(), second.waited());
}

// The recorded answers: 8 octets of length, then a JSON object.
struct NoisyAnswer {
  const char* name;
  const char* fault;
  std::vector<Errc> expected;
  bool before_the_deadline = true;
};
class NoisyAnswers : public testing::TestWithParam<NoisyAnswer> {};

TEST_P(NoisyAnswers, EndTheAttemptWithAReason) {
  constexpr std::chrono::seconds kBudget{60};
  UartAttempt attempt({*sim::parse_uart_fault(GetParam().fault)}, kBudget);
  const Result<Released> released = attempt.run();
  ASSERT_FALSE(released);
  EXPECT_TRUE(std::ranges::count(GetParam().expected, released.error().code) == 1) << posix::describe(released.error());
  if (GetParam().before_the_deadline) {
    EXPECT_LT(attempt.waited(), kBudget);
  } else {
    // On a serial line an attempt that lost step is followed by a second of silence.
    EXPECT_LE(attempt.waited(), kBudget + std::chrono::milliseconds(1002));
  }
}
INSTANTIATE_TEST_SUITE_P(
    Faults, NoisyAnswers,
    testing::Values(NoisyAnswer{"OverrunInTheFirstAnswer", "20:overrun:100", {Errc::uart_overrun}},
                    NoisyAnswer{"OverrunInTheSecondAnswer", "400:overrun:100", {Errc::uart_overrun}},
                    NoisyAnswer{"Framing", "50:framing", {Errc::uart_overrun}},
                    NoisyAnswer{"Break", "300:line_break", {Errc::uart_overrun}},
                    NoisyAnswer{
                        "FlippedBitInAName", "12:flip_bit:0", {Errc::bad_json, Errc::json_missing, Errc::line_noise}},
                    NoisyAnswer{"FlippedBitInTheLength", "8:flip_bit:7", {Errc::frame_too_large, Errc::line_noise}},
                    NoisyAnswer{"InsertedOctetInTheLength", "3:insert:1", {Errc::frame_too_large, Errc::line_noise}},
                    NoisyAnswer{"InsertedOctetBeforeTheLength", "1:insert:0", {Errc::deadline}, false},
                    NoisyAnswer{"LongerThanWhatComes", "2:flip_bit:0", {Errc::deadline}, false}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace attestbed
