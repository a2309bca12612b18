// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/stop_signal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace attestbed::launch {
namespace {

bool readable(int fd) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

class StopSignalTest : public testing::TestWithParam<int> {};

TEST_P(StopSignalTest, BecomesAReadableDescriptorAndTheProcessLives) {
  StopSignal stop;
  EXPECT_FALSE(readable(stop.fd()));
  EXPECT_EQ(stop.received(), 0);
  ::kill(::getpid(), GetParam());
  EXPECT_TRUE(readable(stop.fd()));
  EXPECT_EQ(stop.received(), GetParam());
  EXPECT_EQ(stop.received(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, StopSignalTest, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(StopSignal, ASignalNobodyAskedForDiesWithIt) {
  {
    StopSignal stop;
    ::kill(::getpid(), SIGTERM);
  }
  SUCCEED();  // or the default action had ended this process
}

TEST(StopSignal, AClosedPipeIsAnErrorAndNotADeath) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  StopSignal stop;
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  ::close(ends[1]);
}

}  // namespace
}  // namespace attestbed::launch
