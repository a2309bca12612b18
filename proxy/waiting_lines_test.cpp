// SPDX-License-Identifier: Apache-2.0
#include "proxy/waiting_lines.h"

#include <gtest/gtest.h>

#include "proxy/fake_broker.h"
#include "proxy/hand_clock.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

class WaitingLinesTest : public testing::Test {
 protected:
  void arrive(const std::string& name, const std::shared_ptr<Peer>& peer) {
    SocketPair ends = socket_pair();
    others_.push_back(std::move(ends.guest_end));
    Line line{
        .wire = std::make_unique<posix::FdTransport>(std::move(ends.proxy_end), steady_), .name = name, .peer = peer};
    waiting_.add(std::move(line), clock_.now());
    clock_.move(1s);
  }
  std::shared_ptr<Peer> peer() { return peers_.of(""); }
  // start_next plays the server: the line that is next gets a session.
  std::string start_next() {
    Line* line = waiting_.next();
    if (line == nullptr) return "(nobody)";
    const std::string name = line->name;
    ++line->peer->running;
    waiting_.started(line);
    return name;
  }

  HandClock clock_;
  posix::SteadyClock steady_;
  Peers peers_{AttemptBudget{}, clock_};
  WaitingLines waiting_{2, 60s};
  std::vector<posix::Fd> others_;
};

TEST_F(WaitingLinesTest, WhoHasFewestRunningIsNextAndThenWhoWaitedLongest) {
  const auto crowd = peer(), single = peer(), other = peer();
  crowd->running = 1;
  arrive("crowd 1", crowd);
  arrive("crowd 2", crowd);
  arrive("single", single);
  arrive("other", other);
  EXPECT_EQ(start_next(), "single");
  EXPECT_EQ(start_next(), "other");
  EXPECT_EQ(start_next(), "crowd 1");
  EXPECT_EQ(start_next(), "(nobody)") << "two of this peer run";
  EXPECT_EQ(waiting_.size(), 1U);
  crowd->running = 0;
  EXPECT_EQ(start_next(), "crowd 2");
  EXPECT_EQ(start_next(), "(nobody)");
}

TEST_F(WaitingLinesTest, PeersThatFinishTakeTurns) {
  const auto crowd = peer(), single = peer();
  for (int i = 0; i < 4; ++i) arrive("crowd", crowd);
  arrive("single", single);
  EXPECT_EQ(start_next(), "crowd");
  EXPECT_EQ(start_next(), "single") << "behind a crowd that came first, but not behind all of it";
}

TEST_F(WaitingLinesTest, NobodyWaitsLongerThanItsPatience) {
  arrive("first", peer());
  arrive("second", peer());
  EXPECT_EQ(waiting_.next_late(), Instant() + 60s);
  clock_.move(57s);
  EXPECT_FALSE(waiting_.take_late(clock_.now()));
  clock_.move(1s);
  const auto late = waiting_.take_late(clock_.now());
  ASSERT_TRUE(late);
  EXPECT_EQ(late->name, "first");
  EXPECT_FALSE(waiting_.take_late(clock_.now()));
  EXPECT_EQ(waiting_.next_late(), Instant() + 61s);
}

TEST_F(WaitingLinesTest, LinesWhosePeersAreGoneAreGivenBack) {
  arrive("first", peer());
  arrive("second", peer());
  arrive("third", peer());
  others_[1].reset();
  std::vector<pollfd> fds;
  waiting_.watch(fds);
  ASSERT_EQ(poll(fds.data(), fds.size(), 0), 1);
  const std::vector<Line> ended = waiting_.take_ended(fds);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].name, "second");
  EXPECT_EQ(waiting_.take_all().size(), 2U);
  EXPECT_EQ(waiting_.next_late(), kNever);
}

}  // namespace
}  // namespace attestbed::proxy
