// SPDX-License-Identifier: Apache-2.0
#include "guest/counting_ports.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "guest/uart_transport.h"
#include "sim/manual_clock.h"
#include "sim/uart_line.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;

// The guest's own account, for where there is no model that counts: the two agree.
TEST(CountingPorts, CountAsTheModelDoes) {
  sim::ManualClock clock;
  sim::UartLine line(clock);
  DevicePorts<sim::UartLine> model(line, kCom3);
  CountingPorts ports(model, kCom3);
  Result<UartTransport> uart = UartTransport::open(ports, kCom3, clock);
  ASSERT_TRUE(uart) << uart.error().where;
  std::vector<std::uint8_t> octets(1000);
  std::iota(octets.begin(), octets.end(), std::uint8_t{0});
  ASSERT_TRUE(uart->write_all(octets, clock.now() + 1s));
  ASSERT_TRUE(line.far().write_all(octets, clock.now() + 1s));
  for (std::size_t have = 0; have < octets.size();) {
    const auto got = uart->read_some(MutBytes(octets).subspan(have), clock.now() + 1s);
    ASSERT_TRUE(got) << got.error().where;
    have += *got;
  }
  EXPECT_FALSE(uart->read_some(octets, clock.now() + 10ms));  // idle polls
  EXPECT_GT(ports.counts().idle_polls, 0U);
  EXPECT_EQ(ports.counts().accesses, line.counts().accesses);
  EXPECT_EQ(ports.counts().intercepted, line.counts().intercepted);
  EXPECT_EQ(ports.counts().idle_polls, line.counts().idle_polls);
}

}  // namespace
}  // namespace attestbed::guest
