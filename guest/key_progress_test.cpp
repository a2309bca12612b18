// SPDX-License-Identifier: Apache-2.0
#include "guest/key_progress.h"

#include <gtest/gtest.h>

#include <vector>

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;

class HandClock final : public Clock {
 public:
  Instant now() override { return at; }
  void wait_until(Instant until) override { at = until; }
  Instant at{};
};

TEST(KeyProgressLines, SpeakAtOnceAndThenOnceInASecond) {
  HandClock clock;
  std::vector<std::string> lines;
  KeyProgressLines progress(clock, [&lines](const std::string& line) { lines.push_back(line); });
  progress.searched(1, 0);
  for (std::size_t i = 2; i <= 100; ++i) progress.searched(i, 0);
  ASSERT_EQ(lines.size(), 1U) << "no line for each number";
  EXPECT_EQ(lines[0], "creating an RSA-3072 key: about 1000 numbers are tried until two are prime");
  clock.at += 999ms;
  progress.searched(101, 0);
  EXPECT_EQ(lines.size(), 1U);
  clock.at += 1ms;
  progress.searched(102, 1);
  progress.searched(103, 1);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1], "creating an RSA-3072 key: 102 numbers tried, 1 of 2 primes found");
}

TEST(KeyProgressLines, SpeakAnewForTheNextKey) {
  HandClock clock;
  int lines = 0;
  KeyProgressLines progress(clock, [&lines](const std::string&) { ++lines; });
  progress.searched(1, 0);
  progress.searched(1, 0);
  EXPECT_EQ(lines, 2);
}

}  // namespace
}  // namespace attestbed::guest
