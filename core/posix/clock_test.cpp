// SPDX-License-Identifier: Apache-2.0
#include "core/posix/clock.h"

#include <gtest/gtest.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

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

// The kernel's pool before and after it is ready; a pool can be unready once per boot only, so not the real one.
int asked = 0, ready_after = 0;
ssize_t early_boot(void* into, size_t size, unsigned flags) {
  EXPECT_NE(flags & GRND_NONBLOCK, 0U) << "a call that blocks has no deadline";
  if (asked++ < ready_after) {
    errno = EAGAIN;
    return -1;
  }
  std::memset(into, 0x5a, size);
  return static_cast<ssize_t>(size);
}

TEST(KernelEntropy, WaitsForAPoolThatBecomesReady) {
  asked = 0;
  ready_after = 3;
  KernelEntropy entropy(std::chrono::seconds(60), early_boot);
  ByteArray<16> octets{};
  ASSERT_TRUE(entropy.fill(octets));
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(octets[15], 0x5a);
}

TEST(KernelEntropy, GivesUpOnAPoolThatDoesNot) {
  asked = 0;
  ready_after = std::numeric_limits<int>::max();
  KernelEntropy entropy(std::chrono::milliseconds(20), early_boot);
  ByteArray<16> octets{};
  const Status filled = entropy.fill(octets);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, Errc::io_failed);
  EXPECT_EQ(filled.error().found, static_cast<std::uint64_t>(EAGAIN));
  EXPECT_NE(std::string(filled.error().where).find("not ready"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::posix
