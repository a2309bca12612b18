// SPDX-License-Identifier: Apache-2.0
#include "guest/init/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>

#include "core/posix/clock.h"
#include "core/posix/fd.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    reader_ = posix::Fd(ends[0]);
    writer_ = posix::Fd(ends[1]);
    ::fcntl(writer_.get(), F_SETPIPE_SZ, 4096);
  }
  posix::Fd reader_, writer_;
  posix::SteadyClock clock_;
};

TEST_F(ConsoleTest, AConsoleThatNobodyReadsIsWaitedForNoLongerThanPatience) {
  const Instant before = clock_.now();
  EXPECT_FALSE(write_within(writer_.get(), std::string(8192, 'x'), 100ms));
  EXPECT_GE(clock_.now() - before, 100ms);
  EXPECT_LT(clock_.now() - before, 10s);
  EXPECT_FALSE(write_within(writer_.get(), "y", 0ms));
}

TEST_F(ConsoleTest, AReaderThatIsSlowGetsAllOfIt) {
  std::size_t got = 0;
  std::thread reader([&] {
    std::array<char, 512> octets{};
    while (got < 8192) {
      const ssize_t more = ::read(reader_.get(), octets.data(), octets.size());
      if (more > 0) got += static_cast<std::size_t>(more);
      if (more == 0) return;
      std::this_thread::sleep_for(1ms);
    }
  });
  EXPECT_TRUE(write_within(writer_.get(), std::string(8192, 'x'), 20s));
  writer_.reset();
  reader.join();
  EXPECT_EQ(got, 8192U);
}

TEST_F(ConsoleTest, AConsoleThatIsGoneIsNotWaitedFor) {
  EXPECT_FALSE(write_within(reader_.get(), "x", 20s));
}

}  // namespace
}  // namespace attestbed::guest
