// SPDX-License-Identifier: Apache-2.0
#include "sim/device/firmware_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/posix/clock.h"
#include "core/posix/pty_pair.h"
#include "sim/firmware_fixture.h"
#include "sim/manual_clock.h"
#include "sim/serve_guest.h"

// Real sockets and terminals; the far end is the product's server.
namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

class NoNotes final : public ServeObserver {
 public:
  void launched(std::uint64_t) override {}
  void answered(std::uint64_t, const snp::GuestRequestExit&, const CallRecord*, const Fault*) override {}
  void ended(std::uint64_t, const Error&) override {}
  void turned_away(const Error&) override {}
};

class FirmwareLineTest : public testing::Test {
 protected:
  FirmwareLineTest() : stop_(eventfd(0, EFD_CLOEXEC)) {
    char name[] = "/tmp/attestbed-line-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~FirmwareLineTest() override { std::filesystem::remove_all(directory_); }

  Deadline soon() { return clock_.now() + 30s; }
  Result<FirmwareLine> reach(const std::string& path, unsigned vmpck = 0) {
    return reach_firmware(path, vmpck, clock_, soon(), stop_.get());
  }
  Bytes key(unsigned number) const { return firmware_.guest().vmpcks[number].expose(); }

  /// serve is the far end of one line, until the line ends.
  void serve(posix::Fd fd) {
    posix::FdTransport line(std::move(fd), clock_);
    serve_guest(line, clock_, firmware_, {}, {}, 1, notes_);
  }

  posix::SteadyClock clock_;
  posix::Fd stop_;
  std::string directory_;
  NoNotes notes_;
  Firmware firmware_{Machine::of(authority()), launched(Machine::of(authority()))};
};

TEST_F(FirmwareLineTest, IsASocket) {
  const std::string path = directory_ + "/firmware.sock";
  const auto listener = posix::listen_unix(path, 1, posix::IfExists::refuse);
  ASSERT_TRUE(listener);
  // Connected before anybody accepts: the kernel's queue has room for one.
  std::thread server;
  auto reached = [&] {
    server = std::thread([&] {
      int fd = -1;
      while ((fd = ::accept(listener->get(), nullptr, nullptr)) < 0) std::this_thread::yield();
      serve(posix::Fd(fd));
    });
    return reach(path, 2);
  }();
  EXPECT_TRUE(reached);
  if (reached) {
    EXPECT_TRUE(std::ranges::equal(reached->key.expose(), key(2)));
    EXPECT_EQ(::eventfd_write(stop_.get(), 1), 0);
    const snp::Page request{};
    snp::Page reply;
    EXPECT_EQ(reached->socket->call(request, reply, soon()).error().code, Errc::closed) << "stopped";
    reached->socket.reset();
  }
  server.join();
}

TEST_F(FirmwareLineTest, IsATerminal) {
  posix::Pty terminal;
  // A terminal that nobody has open is at its end for whoever reads the other side.
  posix::Fd held(::open(terminal.device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::thread server([&] { serve(std::move(terminal.controller)); });
  {
    const auto reached = reach(terminal.device);
    held.reset();
    EXPECT_TRUE(reached);
    if (reached) {
      EXPECT_TRUE(std::ranges::equal(reached->key.expose(), key(0)));
    }
  }
  server.join();
}

TEST_F(FirmwareLineTest, ThatIsNoLineIsNamed) {
  EXPECT_EQ(reach(directory_ + "/absent").error().found, static_cast<std::uint64_t>(ENOENT));
  EXPECT_EQ(reach(directory_).error().code, Errc::bad_config);
  std::ofstream(directory_ + "/file") << "x";
  EXPECT_EQ(reach(directory_ + "/file").error().code, Errc::bad_config);
}

TEST_F(FirmwareLineTest, ASocketThatHangsUpIsNotTriedAgain) {
  const std::string path = directory_ + "/firmware.sock";
  const auto listener = posix::listen_unix(path, 8, posix::IfExists::refuse);
  ASSERT_TRUE(listener);
  std::thread server([&] {
    int fd = -1;
    while ((fd = ::accept(listener->get(), nullptr, nullptr)) < 0) std::this_thread::yield();
    ::close(fd);
  });
  const auto reached = reach(path);
  server.join();
  ASSERT_FALSE(reached);
  EXPECT_TRUE(reached.error().code == Errc::closed || reached.error().code == Errc::transport);
}

// /dev/null is a port whose other end always hangs up.
TEST_F(FirmwareLineTest, APortWhereNobodyIsHasADeadline) {
  ManualClock clock;
  const Instant before = clock.now();
  const auto reached = reach_firmware("/dev/null", 0, clock, before + 1s, stop_.get());
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, Errc::deadline);
  EXPECT_EQ(clock.now() - before, 1s);
}

TEST_F(FirmwareLineTest, WaitingCanBeStopped) {
  ManualClock clock;
  ASSERT_EQ(::eventfd_write(stop_.get(), 1), 0);
  const auto reached = reach_firmware("/dev/null", 0, clock, clock.now() + 1s, stop_.get());
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, Errc::closed);
}

}  // namespace
}  // namespace attestbed::sim
