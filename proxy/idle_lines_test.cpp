// SPDX-License-Identifier: Apache-2.0
#include "proxy/idle_lines.h"

#include <gtest/gtest.h>

#include "proxy/fake_broker.h"
#include "proxy/hand_clock.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

const std::string kLength("\x1f\0\0\0\0\0\0\0", 8);

const char* name_of(IdleLines::Became became) {
  switch (became) {
    case IdleLines::Became::asked:
      return "asked";
    case IdleLines::Became::ended:
      return "ended";
    case IdleLines::Became::noisy:
      return "noisy";
    case IdleLines::Became::dropped:
      return "dropped";
    case IdleLines::Became::unfinished:
      return "unfinished";
  }
  return "?";
}

class IdleLinesTest : public testing::Test {
 protected:
  /// arrive adds a line and returns the guest's end of it.
  GuestEnd arrive(const std::string& name, LineKind kind, Lives lives = Lives::opened) {
    return arrive(name, peers_.of(""), nullptr, kind, lives);
  }
  GuestEnd arrive(const std::string& name, std::shared_ptr<Peer> peer, Listener* door,
                  LineKind kind = LineKind::connected, Lives lives = Lives::opened) {
    SocketPair ends = socket_pair();
    ++peer->lines;
    idle_.add({.wire = std::make_unique<posix::FdTransport>(std::move(ends.proxy_end), clock_),
               .name = name,
               .peer = std::move(peer),
               .kind = kind,
               .lives = lives,
               .door = door,
               .idle_since = clock_.now()});
    clock_.move(1s);
    return GuestEnd(std::move(ends.guest_end));
  }
  /// look is one round of the server's loop: "name asked" of each line that is idle no more.
  std::vector<std::string> look() {
    std::vector<pollfd> fds;
    idle_.watch(fds);
    EXPECT_GE(poll(fds.data(), fds.size(), 0), 0);
    std::vector<std::string> left;
    left_ = idle_.take_left(fds);
    for (const auto& one : left_) left.push_back(one.line.name + " " + name_of(one.became));
    return left;
  }
  std::string taken() {
    std::optional<Line> line = idle_.take_least_missed();
    if (!line) return "(none)";
    --line->peer->lines;
    return line->name;
  }
  using Left = std::vector<std::string>;

  HandClock clock_;
  Peers peers_{AttemptBudget{}, clock_};
  IdleLines idle_{clock_};
  std::vector<IdleLines::Left> left_;
};

TEST_F(IdleLinesTest, AttemptBeginsWithTheFirstOctetAndSilenceHasNoEnd) {
  GuestEnd asks = arrive("asks", LineKind::connected), leaves = arrive("leaves", LineKind::connected);
  GuestEnd silent = arrive("silent", LineKind::connected), uart = arrive("uart", LineKind::serial);
  clock_.move(24h);
  EXPECT_EQ(look(), Left{});
  EXPECT_EQ(idle_.next(), kNever);
  ASSERT_TRUE(asks.send_raw("\x1f"));
  leaves.hang_up();
  EXPECT_EQ(look(), (Left{"asks asked", "leaves ended"}));
  EXPECT_EQ(idle_.size(), 2U);
}

TEST_F(IdleLinesTest, OnASerialLineItBeginsWithAFrame) {
  GuestEnd guest = arrive("uart", LineKind::serial);
  ASSERT_TRUE(guest.send_raw("[    0.000000] Linux version 6.1\r\n" + kLength));
  EXPECT_EQ(look(), Left{});
  ASSERT_TRUE(guest.send_raw("{\"version\""));
  EXPECT_EQ(look(), Left{"uart asked"});
  EXPECT_EQ(left_[0].line.start.body_octets, 31U);
  EXPECT_EQ(left_[0].line.start.skipped, 34U);
  ByteArray<64> rest{};
  const auto unread = left_[0].line.wire->read_some(rest, clock_.now() + 60s);
  ASSERT_TRUE(unread);
  EXPECT_EQ(text_of(Bytes(rest).first(*unread)), "\"version\"") << "what follows the brace is the session's";
}

// The octets that are there when nothing more comes, and what they leave.
struct Remainder {
  const char* name;
  std::string octets;
  const char* became;
};
class IdleRemainder : public IdleLinesTest, public testing::WithParamInterface<Remainder> {};

TEST_P(IdleRemainder, EndsWhenNothingCameForFiveSeconds) {
  GuestEnd guest = arrive("uart", LineKind::serial);
  ASSERT_TRUE(guest.send_raw(GetParam().octets));
  EXPECT_EQ(look(), Left{});
  EXPECT_EQ(idle_.next(), clock_.now() + 5s);
  clock_.move(4999ms);
  EXPECT_EQ(look(), Left{});
  clock_.move(1ms);
  EXPECT_EQ(look(), Left{std::string("uart ") + GetParam().became});
  EXPECT_EQ(left_[0].line.search_until, kNever);
  EXPECT_FALSE(left_[0].line.search.has_length()) << "the next search begins with nothing";
}
INSTANTIATE_TEST_SUITE_P(IdleLines, IdleRemainder,
                         testing::Values(Remainder{"Word", "login: ", "dropped"},
                                         Remainder{"HalfALength", kLength.substr(0, 7), "dropped"},
                                         Remainder{"Length", kLength, "unfinished"},
                                         Remainder{"LengthBehindNoise", "login: " + kLength, "unfinished"},
                                         Remainder{"LengthThatNoFrameHas", std::string(8, '\xff'), "dropped"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(IdleLinesTest, EachOctetOfNoiseBuysFiveSeconds) {
  GuestEnd guest = arrive("uart", LineKind::serial);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(guest.send_raw("#"));
    EXPECT_EQ(look(), Left{});
    clock_.move(4s);
  }
  EXPECT_EQ(look(), Left{});
  clock_.move(1s);
  EXPECT_EQ(look(), Left{"uart dropped"});
}

TEST_F(IdleLinesTest, MoreNoiseThanIsSkippedEndsTheSearch) {
  GuestEnd enough = arrive("enough", LineKind::serial), too_much = arrive("too much", LineKind::serial);
  ASSERT_TRUE(enough.send_raw(std::string(4096, '#')));
  // The eight octets behind the 4096 that may be skipped are no length: one more would have to be skipped.
  ASSERT_TRUE(too_much.send_raw(std::string(4096 + 8, '#')));
  Left left;
  for (int rounds = 0; rounds < 128 && left.empty(); ++rounds) left = look();
  EXPECT_EQ(left, Left{"too much noisy"});
  for (int rounds = 0; rounds < 128; ++rounds) EXPECT_EQ(look(), Left{});
  ASSERT_TRUE(enough.send_raw(kLength + "{"));
  EXPECT_EQ(look(), Left{"enough asked"});
}

TEST_F(IdleLinesTest, NoisyLineHoldsUpNoRound) {
  GuestEnd guest = arrive("uart", LineKind::serial);
  ASSERT_TRUE(guest.send_raw(std::string(4000, '#')));
  EXPECT_EQ(look(), Left{});
  EXPECT_EQ(idle_.take_unread().size(), 1U) << "some of it is left for the next one";
}

// ---- A new line takes the place of one that says nothing.

class Door final : public Listener {
 public:
  std::string name() const override { return "door"; }
  int fd() const override { return -1; }
  Deadline due() const override { return kNever; }
  Result<std::optional<NewLine>> accept() override { return std::optional<NewLine>(); }
  void line_ended() override {}
};

TEST_F(IdleLinesTest, LeastMissedIsOfTheFullestDoorAndPeerAndIdleForLongest) {
  Door quiet, busy;
  const auto alone = peers_.of("alone"), one = peers_.of("one"), crowd = peers_.of("crowd");
  std::vector<GuestEnd> guests;
  guests.push_back(arrive("first of all", alone, &quiet));
  guests.push_back(arrive("one", one, &busy));
  guests.push_back(arrive("crowd 1", crowd, &busy));
  guests.push_back(arrive("crowd 2", crowd, &busy));
  EXPECT_EQ(taken(), "crowd 1");
  EXPECT_EQ(taken(), "one") << "of two alike the one that has been idle for longer";
  EXPECT_EQ(taken(), "first of all");
  EXPECT_EQ(taken(), "crowd 2");
  EXPECT_EQ(taken(), "(none)");
}

TEST_F(IdleLinesTest, NobodyWhoSpeaksOrIsThereForEverGivesWay) {
  GuestEnd device = arrive("device", LineKind::serial, Lives::for_ever);
  GuestEnd speaks = arrive("speaks", LineKind::connected);
  ASSERT_TRUE(speaks.send_raw("\x1f"));
  EXPECT_EQ(taken(), "(none)");
  GuestEnd silent = arrive("silent", LineKind::connected);
  EXPECT_EQ(taken(), "silent");
}

TEST_F(IdleLinesTest, OnlyLinesOnWhichSomethingWasAskedAreGivenInTheEnd) {
  GuestEnd silent = arrive("silent", LineKind::connected), asks = arrive("asks", LineKind::connected);
  ASSERT_TRUE(asks.send_raw("\x1f"));
  const std::vector<Line> unread = idle_.take_unread();
  ASSERT_EQ(unread.size(), 1U);
  EXPECT_EQ(unread[0].name, "asks");
  EXPECT_EQ(silent.receive(), "(closed)");
  EXPECT_EQ(idle_.size(), 0U);
}

}  // namespace
}  // namespace attestbed::proxy
