// SPDX-License-Identifier: Apache-2.0
#include "guest/line.h"

#include <gtest/gtest.h>

#include "core/posix/clock.h"
#include "core/posix/pty_pair.h"

namespace attestbed::guest {
namespace {

TEST(LineAddress, OfAVsockIsTwoNumbers) {
  const auto address = parse_vsock("2:1995");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->kind, LineAddress::Kind::vsock);
  EXPECT_EQ(address->cid, 2U);
  EXPECT_EQ(address->port, 1995U);
  EXPECT_EQ(address->line_kind(), LineKind::connected);
  EXPECT_TRUE(parse_vsock("4294967294:0"));
  for (const char* text : {"", ":", "2", "2:", ":1995", "2:1995 ", " 2:1995", "2:-1", "+2:1995", "2:1995:3", "0x2:1995",
                           "4294967295:1995", "2:4294967295", "4294967296:1995", "host:1995"}) {
    const auto refused = parse_vsock(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Errc::bad_config);
  }
}

TEST(OpenLine, OfASerialDeviceIsASerialLine) {
  posix::SteadyClock clock;
  const posix::Pty pty;
  const LineAddress address{LineAddress::Kind::serial, pty.device};
  EXPECT_EQ(address.line_kind(), LineKind::serial);
  EXPECT_TRUE(open_line(address, clock, kNever));
}

TEST(OpenLine, PassesOnWhyItCouldNot) {
  posix::SteadyClock clock;
  for (const auto kind : {LineAddress::Kind::unix_socket, LineAddress::Kind::serial}) {
    const auto line = open_line({kind, "/nonexistent/line"}, clock, kNever);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().code, Errc::transport);
  }
  EXPECT_FALSE(open_line({LineAddress::Kind::vsock, {}, 2, 0xffffffff}, clock, kNever));
}

}  // namespace
}  // namespace attestbed::guest
