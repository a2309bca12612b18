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
  SessionTable::Opened open() { return *sessions.open(kDate); }
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
  EXPECT_EQ(table.sessions.admit(session.cookie, {}).error().code, Errc::internal);
  EXPECT_EQ(table.sessions.grant(session.cookie).error().code, Errc::session_unknown);
  EXPECT_EQ(table.spend(session, session.nonce), Errc{});
  EXPECT_EQ(table.sessions.grant(session.cookie).error().code, Errc::session_unknown);
  Grant grant;
  grant.measurement.fill(7);
  ASSERT_TRUE(table.sessions.admit(session.cookie, grant));
  EXPECT_EQ(table.sessions.grant(session.cookie)->measurement, grant.measurement);
  EXPECT_EQ(table.sessions.admit(session.cookie, {}).error().code, Errc::internal);
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
  ASSERT_TRUE(table.sessions.admit(attested.cookie, {}));
  table.clock.advance(200s);
  for (int i = 0; i < 5; ++i) {
    const auto refused = table.sessions.open(kDate);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::broker_unavailable);
  }
  EXPECT_EQ(table.sessions.size(), 3U);
  EXPECT_EQ(table.spend(challenged, challenged.nonce), Errc{});
  EXPECT_EQ(table.sessions.admit(spent.cookie, {}).has_value(), true);
  EXPECT_TRUE(table.sessions.grant(attested.cookie));
}

TEST(SessionTable, HasRoomAgainWhenSessionsExpire) {
  Table table({.lifetime = 300s, .max_sessions = 2});
  const SessionTable::Opened first = table.open();
  table.clock.advance(100s);
  const SessionTable::Opened second = table.open();
  table.clock.advance(200s);
  EXPECT_TRUE(table.sessions.open(kDate)) << "the first has ended";
  EXPECT_FALSE(table.sessions.open(kDate)) << "the second has not";
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
  EXPECT_EQ(sessions.open(kDate).error().code, Errc::io_failed);
  EXPECT_EQ(sessions.size(), 0U);
}

TEST(SessionTable, LetsExactlyOneOfManyThreadsSpendANonce) {
  Table table({.lifetime = 300s, .max_sessions = 64});
  const SessionTable::Opened shared = table.open();
  std::atomic<int> spent = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 4; ++n) static_cast<void>(table.sessions.open(kDate));
      if (table.sessions.spend_nonce(shared.cookie, shared.nonce)) ++spent;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(spent, 1);
  EXPECT_EQ(table.sessions.size(), 33U);
}

}  // namespace
}  // namespace attestbed::kbs
