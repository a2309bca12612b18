// SPDX-License-Identifier: Apache-2.0
#include "core/posix/clock.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace attestbed::posix {
namespace {

TEST(SteadyClock, NeverGoesBack) {
  SteadyClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SteadyClock, WaitsUntilTheInstant) {
  SteadyClock clock;
  const Instant until = clock.now() + std::chrono::milliseconds(5);
  clock.wait_until(until);
  EXPECT_GE(clock.now(), until);
}

TEST(SteadyClock, DoesNotWaitForThePast) {
  SteadyClock clock;
  clock.wait_until(Instant{});
  clock.wait_until(Instant::min());
  clock.wait_until(clock.now());
}

TEST(KernelEntropy, FillsAllOfWhatItIsGiven) {
  KernelEntropy entropy;
  // More than the 256 octets that one call gives for sure. A half that stayed zero would be a defect: by chance it is
  // so once in 2^4096.
  ByteArray<1024> octets{};
  ASSERT_TRUE(entropy.fill(octets));
  const auto set = [](std::uint8_t octet) { return octet != 0; };
  EXPECT_TRUE(std::any_of(octets.begin(), octets.begin() + 512, set));
  EXPECT_TRUE(std::any_of(octets.begin() + 512, octets.end(), set));
  EXPECT_TRUE(entropy.fill({}));
}

}  // namespace
}  // namespace attestbed::posix
