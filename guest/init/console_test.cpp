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

// A pipe of packets gives each write back apart.
TEST_F(ConsoleTest, ALineIsOneWriteAndALongOneIsWhole) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC | O_DIRECT), 0);
  const posix::Fd packets(ends[0]), output(ends[1]), before(::dup(STDOUT_FILENO));
  const std::string longer(5000, 'x');
  ASSERT_EQ(::dup2(output.get(), STDOUT_FILENO), STDOUT_FILENO);
  say_on_console("phase mounted 1.000");
  say_on_console(longer);
  ::dup2(before.get(), STDOUT_FILENO);
  std::array<char, 8192> octets{};
  const auto packet = [&] {
    const ssize_t got = ::read(packets.get(), octets.data(), octets.size());
    return got < 0 ? std::string() : std::string(octets.data(), static_cast<std::size_t>(got));
  };
  EXPECT_EQ(packet(), "attest-guest: phase mounted 1.000\n");
  std::string rest;
  for (std::string part = packet(); !part.empty(); part = packet()) rest += part;
  EXPECT_EQ(rest, "attest-guest: " + longer + "\n");
}

TEST_F(ConsoleTest, AConsoleThatIsGoneIsNotWaitedFor) {
  EXPECT_FALSE(write_within(reader_.get(), "x", 20s));
}

}  // namespace
}  // namespace attestbed::guest
