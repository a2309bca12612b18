// SPDX-License-Identifier: Apache-2.0
#include "sim/loopback.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

#include "core/posix/clock.h"
#include "sim/seeded_entropy.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

class Loopback : public testing::Test {
 protected:
  std::vector<std::uint8_t> read_all(Transport& from, std::size_t size) {
    std::vector<std::uint8_t> got(size);
    std::size_t at = 0;
    while (at < size) {
      const auto read = from.read_some(MutBytes(got).subspan(at), clock_.now() + 1s);
      if (!read) break;
      EXPECT_GT(*read, 0U);
      at += *read;
    }
    got.resize(at);
    return got;
  }
  ManualClock clock_;
};

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> out(size);
  std::iota(out.begin(), out.end(), std::uint8_t{0});
  return out;
}

TEST_F(Loopback, CarriesOctetsBothWaysInOrder) {
  LoopbackPair line(clock_);
  const auto sent = counting(1000);
  ASSERT_TRUE(line.a().write_all(Bytes(sent).first(1), clock_.now() + 1s));
  ASSERT_TRUE(line.a().write_all(Bytes(sent).subspan(1), clock_.now() + 1s));
  ASSERT_TRUE(line.b().write_all(bytes_of("answer"), clock_.now() + 1s));
  EXPECT_EQ(read_all(line.b(), 1000), sent);
  const auto answer = read_all(line.a(), 6);
  EXPECT_EQ(text_of(answer), "answer");
}

TEST_F(Loopback, ShortReadsLoseNothing) {
  LoopbackPair line(clock_, {.capacity = 64, .max_read = 1});
  const auto sent = counting(64);
  ASSERT_TRUE(line.a().write_all(sent, clock_.now() + 1s));
  ByteArray<64> into{};
  EXPECT_EQ(*line.b().read_some(into, clock_.now() + 1s), 1U);
  EXPECT_EQ(read_all(line.b(), 63), std::vector<std::uint8_t>(sent.begin() + 1, sent.end()));
}

TEST_F(Loopback, SilenceMovesTheManualClockToTheDeadline) {
  LoopbackPair line(clock_);
  const Instant until = clock_.now() + 5s;
  ByteArray<1> into{};
  const auto read = line.a().read_some(into, until);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::deadline);
  EXPECT_EQ(clock_.now(), until);
}

TEST_F(Loopback, AFullLineMakesTheWriterMissItsDeadline) {
  LoopbackPair line(clock_, {.capacity = 4, .max_read = 4});
  const auto status = line.a().write_all(counting(5), clock_.now() + 1s);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::deadline);
}

TEST_F(Loopback, ClosingEndsReadsAfterTheLastOctetAndWritesAtOnce) {
  LoopbackPair line(clock_);
  ASSERT_TRUE(line.a().write_all(bytes_of("x"), clock_.now() + 1s));
  line.a().close();
  ByteArray<2> into{};
  EXPECT_EQ(*line.b().read_some(into, clock_.now() + 1s), 1U);
  EXPECT_EQ(line.b().read_some(into, clock_.now() + 1s).error().code, Errc::closed);
  EXPECT_EQ(line.b().write_all(bytes_of("y"), clock_.now() + 1s).error().code, Errc::transport);
}

TEST_F(Loopback, ThreadsWaitForEachOther) {
  posix::SteadyClock clock;
  LoopbackPair line(clock, {.capacity = 7, .max_read = 5});
  const auto sent = counting(10000);
  const Deadline until = clock.now() + 60s;
  std::thread writer([&] {
    EXPECT_TRUE(line.a().write_all(sent, until));
    line.a().close();
  });
  std::vector<std::uint8_t> got;
  ByteArray<64> into{};
  while (true) {
    const auto read = line.b().read_some(into, until);
    if (!read) {
      EXPECT_EQ(read.error().code, Errc::closed);
      break;
    }
    got.insert(got.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*read));
  }
  writer.join();
  EXPECT_EQ(got, sent);
}

TEST(SeededEntropy, SameSeedAndLabelGiveTheSameStreamInAnySteps) {
  SeededEntropy a(5, "x"), b(5, "x"), c(6, "x"), d(5, "y");
  ByteArray<100> whole{}, pieces{}, other_seed{}, other_label{};
  ASSERT_TRUE(a.fill(whole));
  for (std::size_t i = 0; i < 100; i += 20) ASSERT_TRUE(b.fill(MutBytes(pieces).subspan(i, 20)));
  ASSERT_TRUE(c.fill(other_seed));
  ASSERT_TRUE(d.fill(other_label));
  EXPECT_EQ(whole, pieces);
  EXPECT_NE(whole, other_seed);
  EXPECT_NE(whole, other_label);
}

}  // namespace
}  // namespace attestbed::sim
