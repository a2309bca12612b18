// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/session.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "core/posix/clock.h"
#include "sim/manual_clock.h"

namespace attestbed::kbs {
namespace {

using namespace std::chrono_literals;

constexpr verify::Time kDate{};

struct Table {
  explicit Table(SessionTable::Limits limits = {}) : sessions(clock, entropy, limits) {}
  SessionTable::Opened open() { return *sessions.open(Tee::snp, kDate); }
  Errc spend(const SessionTable::Opened& session, std::string_view nonce) {
    const auto spent = sessions.spend_nonce(session.cookie, nonce);
    return spent ? Errc{} : spent.error().code;
  }
  sim::ManualClock clock;
  posix::KernelEntropy entropy;
  SessionTable sessions;
};

class BrokenEntropy final : public Entropy {
 public:
  Status fill(MutBytes) override { return Error{Errc::io_failed, "getrandom", 5}; }
};

TEST(SessionTable, MakesCookiesAndNoncesOfTheDocumentedForm) {
  Table table;
  std::set<std::string> cookies;
  std::set<std::string> nonces;
  for (int i = 0; i < 64; ++i) {
    const SessionTable::Opened session = table.open();
    EXPECT_EQ(session.cookie.size(), 32U);
    EXPECT_EQ(session.cookie.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(session.nonce.size(), 44U);
    EXPECT_EQ(session.nonce.back(), '=');
    EXPECT_EQ(session.facts.expires, kDate + 300s);
    cookies.insert(session.cookie);
    nonces.insert(session.nonce);
  }
  EXPECT_EQ(cookies.size(), 64U);
  EXPECT_EQ(nonces.size(), 64U);
}

TEST(SessionTable, SpendsANonceOnce) {
  Table table;
  const SessionTable::Opened session = table.open();
  EXPECT_EQ(table.spend(session, session.nonce), Errc{});
  EXPECT_EQ(table.spend(session, session.nonce), Errc::nonce_used);
}

TEST(SessionTable, SpendsTheNonceOnAWrongOneToo) {
  Table table;
  const SessionTable::Opened session = table.open();
  EXPECT_EQ(table.spend(session, table.open().nonce), Errc::nonce_mismatch);
  EXPECT_EQ(table.spend(session, session.nonce), Errc::nonce_used);
}

TEST(SessionTable, AdmitsOnlyAfterTheNonceWasSpent) {
  Table table;
  const SessionTable::Opened session = table.open();
  EXPECT_EQ(table.sessions.admit(session.cookie, {}, "token").error().code, Errc::internal);
  EXPECT_EQ(table.sessions.grant(session.cookie).error().code, Errc::session_unknown);
  EXPECT_EQ(table.spend(session, session.nonce), Errc{});
  EXPECT_EQ(table.sessions.grant(session.cookie).error().code, Errc::session_unknown);
  Grant grant;
  grant.measurement.fill(7);
  ASSERT_TRUE(table.sessions.admit(session.cookie, grant, "token"));
  EXPECT_EQ(table.sessions.grant(session.cookie)->measurement, grant.measurement);
  EXPECT_EQ(table.sessions.admit(session.cookie, {}, "token").error().code, Errc::internal);
}

TEST(SessionTable, ForgetsASessionAtTheEndOfItsLifeAndNeverExtendsIt) {
  Table table;
  const SessionTable::Opened session = table.open();
  table.clock.advance(299s);
  EXPECT_TRUE(table.sessions.facts(session.cookie));
  table.clock.advance(1s);
  EXPECT_EQ(table.sessions.facts(session.cookie).error().code, Errc::session_unknown);
  EXPECT_EQ(table.spend(session, session.nonce), Errc::session_unknown);
  EXPECT_EQ(table.sessions.size(), 0U);
}

// Anybody may ask for a session, so a flood of askers must not end those of others, in whatever state they are.
TEST(SessionTable, EndsNoLiveSessionForANewOne) {
  Table table({.lifetime = 300s, .max_sessions = 3});
  const SessionTable::Opened challenged = table.open(), spent = table.open(), attested = table.open();
  ASSERT_EQ(table.spend(spent, spent.nonce), Errc{});
  ASSERT_EQ(table.spend(attested, attested.nonce), Errc{});
  ASSERT_TRUE(table.sessions.admit(attested.cookie, {}, "token"));
  table.clock.advance(200s);
  for (int i = 0; i < 5; ++i) {
    const auto refused = table.sessions.open(Tee::snp, kDate);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::broker_unavailable);
  }
  EXPECT_EQ(table.sessions.size(), 3U);
  EXPECT_EQ(table.spend(challenged, challenged.nonce), Errc{});
  EXPECT_EQ(table.sessions.admit(spent.cookie, {}, "token").has_value(), true);
  EXPECT_TRUE(table.sessions.grant(attested.cookie));
}

TEST(SessionTable, HasRoomAgainWhenSessionsExpire) {
  Table table({.lifetime = 300s, .max_sessions = 2});
  const SessionTable::Opened first = table.open();
  table.clock.advance(100s);
  const SessionTable::Opened second = table.open();
  table.clock.advance(200s);
  EXPECT_TRUE(table.sessions.open(Tee::snp, kDate)) << "the first has ended";
  EXPECT_FALSE(table.sessions.open(Tee::snp, kDate)) << "the second has not";
  EXPECT_TRUE(table.sessions.facts(second.cookie));
  EXPECT_FALSE(table.sessions.facts(first.cookie));
}

TEST(SessionTable, KnowsNoOtherCookies) {
  Table table;
  SessionTable::Opened session = table.open();
  for (const std::string& cookie :
       {std::string(), session.cookie.substr(1), session.cookie + "0", std::string(32, '0')}) {
    EXPECT_EQ(table.sessions.facts(cookie).error().code, Errc::session_unknown) << cookie;
  }
}

TEST(SessionTable, OpensNothingWithoutEntropy) {
  sim::ManualClock clock;
  BrokenEntropy entropy;
  SessionTable sessions(clock, entropy, {});
  EXPECT_EQ(sessions.open(Tee::snp, kDate).error().code, Errc::io_failed);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST(SessionTable, LetsExactlyOneOfManyThreadsSpendANonce) {
  Table table({.lifetime = 300s, .max_sessions = 64});
  const SessionTable::Opened shared = table.open();
  std::atomic<int> spent = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 4; ++n) static_cast<void>(table.sessions.open(Tee::snp, kDate));
      if (table.sessions.spend_nonce(shared.cookie, shared.nonce)) ++spent;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(spent, 1);
  EXPECT_EQ(table.sessions.size(), 33U);
}

TEST(SessionTable, GivesTheNonceAgainInTrusteesModeUntilOneSucceeds) {
  Table table({.nonce_mode = NonceMode::trustee});
  const SessionTable::Opened session = table.open();
  EXPECT_EQ(table.spend(session, "wrong"), Errc::nonce_mismatch);
  EXPECT_FALSE(*table.sessions.token_again(session.cookie));
  ASSERT_TRUE(table.sessions.spend_nonce(session.cookie, session.nonce));
  ASSERT_TRUE(table.sessions.spend_nonce(session.cookie, session.nonce));
  ASSERT_TRUE(table.sessions.admit(session.cookie, {}, "the token"));
  EXPECT_EQ(*table.sessions.token_again(session.cookie), "the token");
  EXPECT_TRUE(table.sessions.grant(session.cookie));
  EXPECT_EQ(table.spend(session, session.nonce), Errc::nonce_used);
}

TEST(SessionTable, KeepsNoTokenInStrictMode) {
  Table table;
  const SessionTable::Opened session = table.open();
  ASSERT_TRUE(table.sessions.spend_nonce(session.cookie, session.nonce));
  ASSERT_TRUE(table.sessions.admit(session.cookie, {}, "the token"));
  EXPECT_FALSE(*table.sessions.token_again(session.cookie));
}

TEST(SessionTable, DrawsNoncesOfTheConfiguredSizeAndFromASeed) {
  Table random({.nonce_octets = 16});
  EXPECT_EQ(random.open().nonce.size(), 24U);
  EXPECT_NE(random.open().nonce, random.open().nonce);
  Table seeded({.nonce_seed = "recording"});
  // base64 of SHA-256("recording0") and of SHA-256("recording1"), by sha256sum.
  const SessionTable::Opened first = seeded.open(), second = seeded.open();
  EXPECT_EQ(first.nonce, "ueejMNyDvHlf0mDuIqVDoUbYZjAM23G17JbI/k9efU0=");
  EXPECT_EQ(second.nonce, "7NSh6yyF/BpO/KqicdEaFIZzf7PixfYQ5vUKY+3+sqM=");
  EXPECT_NE(first.cookie, second.cookie);
  Table again({.nonce_octets = 16, .nonce_seed = "recording"});
  EXPECT_EQ(again.open().nonce, "ueejMNyDvHlf0mDuIqVDoQ==");
}

}  // namespace
}  // namespace attestbed::kbs
