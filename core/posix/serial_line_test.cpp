// SPDX-License-Identifier: Apache-2.0
#include "core/posix/serial_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <numeric>
#include <vector>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"
#include "core/posix/pty_pair.h"

namespace attestbed::posix {
namespace {

constexpr std::chrono::seconds kPatience{60};

/// All of the octet values, which is what a line discipline would touch: signals, end of file, CR, XON, XOFF, 0xff.
std::vector<std::uint8_t> every_octet() {
  std::vector<std::uint8_t> octets(256);
  std::iota(octets.begin(), octets.end(), std::uint8_t{0});
  return octets;
}

std::vector<std::uint8_t> read_all(Transport& from, std::size_t size, Deadline until) {
  std::vector<std::uint8_t> octets(size);
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> got = from.read_some(MutBytes(octets).subspan(have), until);
    if (!got) break;
    have += *got;
  }
  octets.resize(have);
  return octets;
}

TEST(SerialLine, CarriesEveryOctetBothWaysAndEchoesNone) {
  SteadyClock clock;
  Pty pty;
  Result<Fd> opened = open_serial(pty.device);
  ASSERT_TRUE(opened) << opened.error().where << ' ' << opened.error().found;
  FdTransport line(*std::move(opened), clock);
  FdTransport far(std::move(pty.controller), clock);
  const Deadline until = clock.now() + kPatience;
  ASSERT_TRUE(far.write_all(every_octet(), until));
  EXPECT_EQ(read_all(line, 256, until), every_octet());
  ASSERT_TRUE(line.write_all(every_octet(), until));
  EXPECT_EQ(read_all(far, 256, until), every_octet());
  // An echo would be on its way back before the octets that came after it.
  ByteArray<1> room{};
  const Result<std::size_t> more = far.read_some(room, clock.now() + std::chrono::milliseconds(20));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::deadline);
}

TEST(SerialLine, KeepsWhatWasThereBefore) {
  SteadyClock clock;
  Pty pty;
  const Fd early(::open(pty.device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(early);
  termios raw{};
  ASSERT_EQ(tcgetattr(early.get(), &raw), 0);
  cfmakeraw(&raw);
  ASSERT_EQ(tcsetattr(early.get(), TCSANOW, &raw), 0);
  ASSERT_EQ(::write(pty.controller.get(), "hello", 5), 5);
  Result<Fd> opened = open_serial(pty.device);
  ASSERT_TRUE(opened);
  FdTransport line(*std::move(opened), clock);
  EXPECT_EQ(read_all(line, 5, clock.now() + kPatience).size(), 5U);
}

TEST(SerialLine, IsNotOpenedTwice) {
  Pty pty;
  Result<Fd> first = open_serial(pty.device);
  ASSERT_TRUE(first);
  const Result<Fd> second = open_serial(pty.device);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::transport);
  EXPECT_EQ(second.error().found, static_cast<std::uint64_t>(EBUSY));
  int exclusive = 0;
  ASSERT_EQ(ioctl(first->get(), TIOCGEXCL, &exclusive), 0);
  EXPECT_EQ(exclusive, 1);
  // Nobody else has the terminal open, so its closing ends the exclusion.
  first->reset();
  EXPECT_TRUE(open_serial(pty.device));
}

TEST(SerialLine, DoesNotBecomeTheControllingTerminal) {
  Pty pty;
  const Result<Fd> line = open_serial(pty.device);
  ASSERT_TRUE(line);
  EXPECT_EQ(tcgetsid(line->get()), -1);
}

struct RefusedDevice {
  const char* name;
  const char* device;
  Errc code;
  int error;
};
class SerialLineRefuses : public testing::TestWithParam<RefusedDevice> {};
TEST_P(SerialLineRefuses, WhatIsNoSerialDevice) {
  const Result<Fd> line = open_serial(GetParam().device);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, GetParam().code);
  EXPECT_EQ(line.error().found, static_cast<std::uint64_t>(GetParam().error));
}
INSTANTIATE_TEST_SUITE_P(Table, SerialLineRefuses,
                         testing::Values(RefusedDevice{"NoName", "", Errc::bad_config, 0},
                                         RefusedDevice{"Absent", "/dev/no-such-serial-device", Errc::transport, ENOENT},
                                         RefusedDevice{"NoTerminal", "/dev/null", Errc::transport, ENOTTY},
                                         RefusedDevice{"Directory", "/proc", Errc::transport, EISDIR}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace attestbed::posix
