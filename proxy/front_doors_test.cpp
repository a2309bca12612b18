// SPDX-License-Identifier: Apache-2.0
#include "proxy/front_doors.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "proxy/hand_clock.h"
#include "proxy/log_capture.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

// A door at which `waiting` lines wait, or which fails.
struct Porch {
  int waiting = 0;
  bool fails = false;
  Deadline due = kNever;
};

class PorchDoor final : public Listener {
 public:
  explicit PorchDoor(Porch& porch) : porch_(porch) {}
  std::string name() const override { return "porch"; }
  int fd() const override { return 7; }
  Deadline due() const override { return porch_.due; }
  Result<std::optional<NewLine>> accept() override {
    if (porch_.fails) return Error{Errc::transport, "accept", EMFILE};
    if (porch_.waiting == 0) return std::optional<NewLine>();
    --porch_.waiting;
    return std::optional(NewLine{.fd = posix::Fd(), .name = "guest", .peer = {}});
  }
  void line_ended() override {}

 private:
  Porch& porch_;
};

class FrontDoorsTest : public testing::Test {
 protected:
  static std::vector<std::unique_ptr<Listener>> both(Porch& first, Porch& second) {
    std::vector<std::unique_ptr<Listener>> doors;
    doors.push_back(std::make_unique<PorchDoor>(first));
    doors.push_back(std::make_unique<PorchDoor>(second));
    return doors;
  }
  /// round is one of the server's: poll says something of both doors, or of none. Returns how many lines came in.
  int round(bool readable) {
    const short events = readable ? POLLIN : 0;
    const std::vector<pollfd> fds = {{7, POLLIN, events}, {7, POLLIN, events}};
    int entered = 0;
    doors_.accept(fds, [&](NewLine, Listener&) { ++entered; });
    return entered;
  }

  HandClock clock_;
  Porch first_, second_;
  FrontDoors doors_{both(first_, second_), clock_};
};

TEST_F(FrontDoorsTest, CrowdAtOneDoorHoldsUpNobodyForLong) {
  first_.waiting = 100;
  second_.waiting = 3;
  EXPECT_EQ(round(true), 32 + 3);
  EXPECT_EQ(first_.waiting, 68);
  EXPECT_EQ(second_.waiting, 0);
  EXPECT_EQ(round(true), 32);
  EXPECT_EQ(round(true), 32);
  EXPECT_EQ(round(true), 4);
}

TEST_F(FrontDoorsTest, DoorIsAskedWhenPollOrItsTimeSaysSo) {
  first_.waiting = second_.waiting = 1;
  EXPECT_EQ(round(false), 0);
  EXPECT_EQ(doors_.next(), kNever);
  second_.due = clock_.now() + 1s;
  EXPECT_EQ(doors_.next(), clock_.now() + 1s);
  EXPECT_EQ(round(false), 0);
  clock_.move(1s);
  EXPECT_EQ(round(false), 1);
  EXPECT_EQ(second_.waiting, 0);
}

TEST_F(FrontDoorsTest, AllPauseWhenTheSystemGivesNoDescriptor) {
  LogCapture log;
  first_.fails = true;
  second_.waiting = 1;
  EXPECT_EQ(round(true), 0);
  EXPECT_TRUE(log.has(R"("event":"accept_failed","door":"porch")")) << log.text();
  EXPECT_EQ(doors_.next(), clock_.now() + 200ms);
  std::vector<pollfd> fds;
  doors_.watch(fds);
  ASSERT_EQ(fds.size(), 2U);
  EXPECT_EQ(fds[1].fd, -1);

  first_.fails = false;
  clock_.move(199ms);
  EXPECT_EQ(round(true), 0);
  clock_.move(1ms);
  EXPECT_EQ(round(true), 1);
  fds.clear();
  doors_.watch(fds);
  EXPECT_EQ(fds[1].fd, 7);
}

TEST_F(FrontDoorsTest, NobodyComesInOnceTheyAreShut) {
  first_.waiting = 1;
  doors_.shut();
  EXPECT_TRUE(doors_.are_shut());
  EXPECT_EQ(round(true), 0);
  EXPECT_EQ(doors_.size(), 0U);
}

}  // namespace
}  // namespace attestbed::proxy
