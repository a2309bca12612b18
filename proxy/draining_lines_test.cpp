// SPDX-License-Identifier: Apache-2.0
#include "proxy/draining_lines.h"

#include <gtest/gtest.h>

#include "proxy/fake_broker.h"
#include "proxy/hand_clock.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

class DrainingLinesTest : public testing::Test {
 protected:
  /// give_up adds a line and says whose place it took; "" = nobody's.
  std::string give_up(const std::string& name, LineKind kind, Lives lives = Lives::opened) {
    SocketPair ends = socket_pair();
    peers_.push_back(std::make_unique<posix::FdTransport>(std::move(ends.guest_end), clock_));
    Line line{.wire = std::make_unique<posix::FdTransport>(std::move(ends.proxy_end), clock_),
              .name = name,
              .peer = {},
              .kind = kind,
              .lives = lives};
    const std::optional<Line> oldest = draining_.add(std::move(line));
    return oldest ? oldest->name : "";
  }
  void send(std::size_t peer, std::size_t octets) {
    const std::vector<std::uint8_t> noise(octets, '#');
    ASSERT_TRUE(peers_[peer]->write_all(noise, clock_.now() + 60s));
  }
  /// look is one round of the server's loop: "name as new" or "name closed" of each line whose draining is over.
  std::vector<std::string> look() {
    std::vector<pollfd> fds;
    draining_.watch(fds);
    EXPECT_GE(poll(fds.data(), fds.size(), 0), 0);
    std::vector<std::string> over;
    for (const auto& one : draining_.take_drained(fds))
      over.push_back(one.line.name + (one.as_new ? " as new" : " closed"));
    return over;
  }
  using Over = std::vector<std::string>;

  HandClock clock_;
  DrainingLines draining_{clock_};
  std::vector<std::unique_ptr<posix::FdTransport>> peers_;
};

TEST_F(DrainingLinesTest, LineIsClosedWhenItsPeerHadTimeToReadOrHungUp) {
  give_up("reads", LineKind::connected);
  give_up("leaves", LineKind::connected);
  EXPECT_EQ(look(), Over{});
  peers_[1].reset();
  EXPECT_EQ(look(), Over{"leaves closed"});
  send(0, 100);
  clock_.move(999ms);
  EXPECT_EQ(look(), Over{});
  EXPECT_EQ(draining_.next(), clock_.now() + 1ms) << "octets move nothing";
  clock_.move(1ms);
  EXPECT_EQ(look(), Over{"reads closed"});
  EXPECT_EQ(draining_.size(), 0U);
  EXPECT_EQ(draining_.next(), kNever);
}

TEST_F(DrainingLinesTest, SerialLineIsAsNewAfterSilence) {
  give_up("uart", LineKind::serial);
  clock_.move(400ms);
  send(0, 10);
  EXPECT_EQ(look(), Over{});
  clock_.move(499ms);
  EXPECT_EQ(look(), Over{});
  clock_.move(1ms);
  EXPECT_EQ(look(), Over{"uart as new"});
}

TEST_F(DrainingLinesTest, SerialLineThatTricklesIsClosedInTheEnd) {
  give_up("socket", LineKind::serial);
  for (int i = 0; i < 24; ++i) {
    send(0, 1);
    EXPECT_EQ(look(), Over{}) << i;
    clock_.move(200ms);
  }
  clock_.move(199ms);
  send(0, 1);
  EXPECT_EQ(look(), Over{});
  EXPECT_EQ(draining_.next(), clock_.now() + 1ms) << "5 s after it was given up";
  clock_.move(1ms);
  send(0, 1);
  EXPECT_EQ(look(), Over{"socket closed"});
}

TEST_F(DrainingLinesTest, SerialDeviceThatTricklesIsKept) {
  give_up("device", LineKind::serial, Lives::for_ever);
  for (int i = 0; i < 100; ++i) {
    send(0, 1);
    EXPECT_EQ(look(), Over{}) << i;
    clock_.move(200ms);
  }
  clock_.move(300ms);
  EXPECT_EQ(look(), Over{"device as new"});
}

TEST_F(DrainingLinesTest, FloodEndsALineThatCanBeClosed) {
  give_up("socket", LineKind::serial);
  give_up("device", LineKind::serial, Lives::for_ever);
  std::size_t sent = 0;
  for (; draining_.size() == 2 && sent < 1'000'000; sent += 4096) {
    send(0, 4096);
    send(1, 4096);
    (void)look();
  }
  EXPECT_EQ(sent, 17 * 4096U) << "the first multiple of 4096 from 65544 on";
  EXPECT_EQ(draining_.leaving(), 0U);
}

TEST_F(DrainingLinesTest, OldestOfTooManyIsClosedAndDevicesDoNotCount) {
  EXPECT_EQ(give_up("device", LineKind::serial, Lives::for_ever), "");
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(give_up(std::to_string(i), LineKind::connected), "") << i;
  EXPECT_EQ(give_up("one more", LineKind::serial), "0");
  EXPECT_EQ(give_up("and another", LineKind::connected), "1");
  EXPECT_EQ(draining_.size(), 65U);
  EXPECT_EQ(draining_.leaving(), 64U);
}

}  // namespace
}  // namespace attestbed::proxy
