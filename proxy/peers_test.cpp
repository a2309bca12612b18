// SPDX-License-Identifier: Apache-2.0
#include "proxy/peers.h"

#include <gtest/gtest.h>

#include "proxy/hand_clock.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

constexpr AttemptBudget kBudget{.at_once = 3, .interval = 10s};

TEST(Peer, HasItsAttemptsInARowAndThenOneAnInterval) {
  HandClock clock;
  Peer peer(kBudget, clock.now());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(peer.take_attempt(clock.now())) << i;
  EXPECT_FALSE(peer.take_attempt(clock.now()));
  clock.move(9999ms);
  EXPECT_FALSE(peer.take_attempt(clock.now()));
  clock.move(1ms);
  EXPECT_TRUE(peer.take_attempt(clock.now()));
  EXPECT_FALSE(peer.take_attempt(clock.now()));
}

TEST(Peer, KeepsThePartOfAnIntervalThatHasPassed) {
  HandClock clock;
  Peer peer(kBudget, clock.now());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(peer.take_attempt(clock.now()));
  clock.move(15s);
  EXPECT_TRUE(peer.take_attempt(clock.now()));
  EXPECT_FALSE(peer.take_attempt(clock.now()));
  clock.move(5s);
  EXPECT_TRUE(peer.take_attempt(clock.now()));
}

TEST(Peer, SavesNoMoreThanABucketFull) {
  HandClock clock;
  Peer peer(kBudget, clock.now());
  ASSERT_TRUE(peer.take_attempt(clock.now()));
  clock.move(std::chrono::hours(24 * 365));
  EXPECT_TRUE(peer.is_rested(clock.now()));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(peer.take_attempt(clock.now())) << i;
  EXPECT_FALSE(peer.take_attempt(clock.now()));
  clock.move(9s);
  EXPECT_FALSE(peer.take_attempt(clock.now())) << "the year before the first of these attempts does not count";
}

TEST(Peers, ANameIsOnePeerAndNoNameIsAlwaysAnother) {
  HandClock clock;
  Peers peers(kBudget, clock);
  EXPECT_EQ(peers.of("cid 3"), peers.of("cid 3"));
  EXPECT_NE(peers.of("cid 3"), peers.of("cid 4"));
  EXPECT_NE(peers.of(""), peers.of(""));
  EXPECT_EQ(peers.size(), 2U);
}

TEST(Peers, RememberNoMoreThanTheirTableHolds) {
  HandClock clock;
  Peers peers(kBudget, clock);
  const auto early = peers.of("cid 0");
  ASSERT_TRUE(early->take_attempt(clock.now()));
  for (std::size_t i = 0; i < 3 * Peers::kMaxPeers; ++i) {
    (void)peers.of("cid " + std::to_string(i))->take_attempt(clock.now());
  }
  EXPECT_EQ(peers.size(), Peers::kMaxPeers);
  EXPECT_EQ(peers.of("cid 0"), early) << "a flood of new peers displaces nobody";
  const auto newcomer = peers.of("cid 1000000");
  EXPECT_EQ(newcomer, peers.of("cid 1000001")) << "newcomers share a budget";
  EXPECT_FALSE(newcomer->take_attempt(clock.now()));
}

TEST(Peers, ForgetThoseWhoseBudgetIsWholeAgain) {
  HandClock clock;
  Peers peers(kBudget, clock);
  for (std::size_t i = 0; i < Peers::kMaxPeers; ++i) {
    (void)peers.of("cid " + std::to_string(i))->take_attempt(clock.now());
  }
  const auto connected = peers.of("cid 7");
  clock.move(10s);
  const auto newcomer = peers.of("cid 1000000");
  EXPECT_TRUE(newcomer->take_attempt(clock.now()));
  EXPECT_NE(newcomer, peers.of("cid 1000001"));
  EXPECT_EQ(peers.of("cid 7"), connected) << "one that has a line stays";
  EXPECT_EQ(peers.size(), 3U);
}

}  // namespace
}  // namespace attestbed::proxy
