// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <algorithm>
#include <thread>

#include "proxy/hand_clock.h"
#include "proxy/running_server.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using protocol::Phase;

// The default case's frames fit a guest that states nothing.
const VectorCase& plain() {
  return vector_case("plain");
}

// Whoever comes second waits for the first.
ServerConfig one_session() {
  ServerConfig config = Running::defaults();
  config.max_sessions = 1;
  config.queue_wait = 60s;
  return config;
}

TEST(Server, ServesOneGuestAfterAnother) {
  FakeBroker broker(plain());
  const Running server(broker);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(server.guest().attest(plain()));
  EXPECT_EQ(broker.sessions, 3);
}

TEST(Server, KeepsTheLineForAnotherAttemptUntilItHadItsShare) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.attempts = {.at_once = 3, .interval = std::chrono::hours(1)};
  const Running server(broker, config);
  GuestEnd guest = server.guest();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(guest.attest(plain())) << i;
  ASSERT_TRUE(guest.send(plain().negotiation_request));
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "attempts_exhausted");
  EXPECT_EQ(guest.receive(), "(closed)");
  EXPECT_TRUE(server.guest().attest(plain())) << "a new line has a new share";
}

TEST(Server, LineSurvivesARefusalAndNotAFrameThatLostStep) {
  FakeBroker broker(plain());
  const Running server(broker);
  GuestEnd guest = server.guest();
  ASSERT_TRUE(guest.send(R"({"version":[9,9,9],"tee":"snp"})"));
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "version_unsupported");
  EXPECT_TRUE(guest.attest(plain()));
  ASSERT_TRUE(guest.send_raw(std::string(8, '\xff')));
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "malformed_request");
  EXPECT_EQ(guest.receive(), "(closed)");
}

TEST(Server, IdleLinesTakeNoSession) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.max_sessions = 2;  // a session ends a moment after its guest has the answer
  const Running server(broker, config);
  std::vector<GuestEnd> idle;
  for (int i = 0; i < 64; ++i) idle.push_back(server.guest());
  EXPECT_TRUE(server.guest().attest(plain()));
  EXPECT_TRUE(idle.back().attest(plain())) << "an idle line has no deadline";
  EXPECT_EQ(broker.sessions, 2);
}

TEST(Server, GuestThatWaitedForTooLongIsToldThatTheProxyIsBusy) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.max_sessions = 1;
  config.queue_wait = 0s;
  const Running server(broker, config);
  GuestEnd slow = server.guest();
  ASSERT_TRUE(slow.negotiate(plain()));
  GuestEnd second = server.guest();
  ASSERT_TRUE(second.send(plain().negotiation_request));
  EXPECT_EQ(code_in(second.receive(), Phase::negotiation), "proxy_busy");
  EXPECT_EQ(second.receive(), "(closed)");
  EXPECT_TRUE(slow.conclude(plain())) << "the first guest felt nothing";
}

TEST(Server, GuestAboveTheLimitWaitsForASession) {
  FakeBroker broker(plain());
  const Running server(broker, one_session());
  GuestEnd first = server.guest(), second = server.guest(), gone = server.guest();
  ASSERT_TRUE(first.negotiate(plain()));
  ASSERT_TRUE(gone.send(plain().negotiation_request));
  gone.hang_up();
  ASSERT_TRUE(second.send(plain().negotiation_request));
  EXPECT_TRUE(first.conclude(plain()));
  EXPECT_EQ(second.receive(), plain().negotiation_response);
  EXPECT_TRUE(second.conclude(plain()));
}

TEST(Server, StopTellsWhoWaits) {
  FakeBroker broker(plain());
  ServerConfig config = one_session();
  config.grace = 60s;
  Running server(broker, config);
  GuestEnd running = server.guest(), waiting = server.guest();
  ASSERT_TRUE(running.negotiate(plain()));
  ASSERT_TRUE(waiting.send(plain().negotiation_request));
  server.signal_stop();
  EXPECT_EQ(code_in(waiting.receive(), Phase::negotiation), "proxy_stopping");
  EXPECT_TRUE(running.conclude(plain()));
  EXPECT_TRUE(server.ended());
}

TEST(Server, LineAboveTheLimitIsToldThatTheProxyIsBusy) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.max_lines = 4;
  const Running server(broker, config);
  std::vector<GuestEnd> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(server.guest());
    ASSERT_TRUE(idle.back().negotiate(plain()));
  }
  EXPECT_EQ(code_in(server.guest().receive(), Phase::negotiation), "proxy_busy");
  for (GuestEnd& guest : idle) {
    EXPECT_TRUE(guest.conclude(plain()));
  }
}

TEST(Server, LineThatWasSilentForLongestGivesWay) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.max_lines = 4;
  const Running server(broker, config);
  std::vector<GuestEnd> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(server.guest());
  EXPECT_TRUE(silent.front().attest(plain())) << "no longer the one that was silent for longest";
  GuestEnd fifth = server.guest();
  EXPECT_TRUE(fifth.attest(plain()));
  EXPECT_EQ(silent[1].receive(), "(closed)");
  for (const int kept : {0, 2, 3}) EXPECT_TRUE(silent[static_cast<std::size_t>(kept)].attest(plain())) << kept;
}

// ---- One bad peer never disturbs another.

enum class Hostile { silent, half_prefix, half_body, huge_length, garbage, hangs_up, floods };

std::unique_ptr<GuestEnd> hostile_guest(const std::string& path, Hostile kind) {
  auto guest = std::make_unique<GuestEnd>(GuestEnd::connect(path));
  switch (kind) {
    case Hostile::silent:
      break;
    case Hostile::half_prefix:
      (void)guest->send_raw(std::string(3, '\x1f'));
      break;
    case Hostile::half_body:
      (void)guest->send_raw(std::string("\x1f\0\0\0\0\0\0\0{\"vers", 14));
      break;
    case Hostile::huge_length:
      (void)guest->send_raw(std::string(8, '\xff'));
      break;
    case Hostile::garbage:
      (void)guest->send("\xff\xfe no JSON");
      break;
    case Hostile::hangs_up:
      (void)guest->send(plain().negotiation_request);
      guest->hang_up();
      break;
    case Hostile::floods:
      (void)guest->send_raw(std::string(100'000, '\0'));
      break;
  }
  return guest;
}

TEST(Server, HonestGuestsFinishBesideHostileOnes) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.max_sessions = 128;
  const Running server(broker, config);
  constexpr int kEach = 64;
  constexpr int kKinds = static_cast<int>(Hostile::floods) + 1;
  std::vector<std::unique_ptr<GuestEnd>> hostile;
  std::vector<std::future<bool>> honest;
  for (int i = 0; i < kEach; ++i) {
    hostile.push_back(hostile_guest(server.path(), static_cast<Hostile>(i % kKinds)));
    honest.push_back(std::async(std::launch::async, [&server] { return server.guest().attest(plain()); }));
  }
  const auto served = std::ranges::count_if(honest, [](std::future<bool>& one) { return one.get(); });
  EXPECT_EQ(served, kEach);
}

// Time stands still, so nothing here waits for a line to be let go.
TEST(Server, LinesThatAreGivenUpKeepNobodyOut) {
  FakeBroker broker(plain());
  HandClock clock;
  const Running server(broker, Running::defaults(), {}, &clock);
  std::vector<GuestEnd> given_up;
  for (std::size_t i = 0; i < DrainingLines::kMostLeaving + 8; ++i) {
    given_up.push_back(server.guest());
    ASSERT_TRUE(given_up.back().send_raw(std::string(8, '\xff')));
    ASSERT_EQ(code_in(given_up.back().receive(), Phase::negotiation), "malformed_request") << i;
  }
  EXPECT_TRUE(server.guest().attest(plain()));
}

TEST(Server, GuestsThatNeverFinishAreEndedByTheDeadlineAndFreeTheirSessions) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.session.budget = 100ms;
  config.max_sessions = 2;
  const Running server(broker, config);
  auto first = hostile_guest(server.path(), Hostile::half_prefix);
  auto second = hostile_guest(server.path(), Hostile::half_body);
  EXPECT_EQ(code_in(first->receive(), Phase::negotiation), "guest_timeout");
  EXPECT_EQ(code_in(second->receive(), Phase::negotiation), "guest_timeout");
  EXPECT_EQ(first->receive(), "(closed)");
  EXPECT_EQ(second->receive(), "(closed)");
  // A session is free again. The short budget is the honest guest's too, so a busy machine may end it by the deadline:
  // then it tries again, and only a server that never serves it fails.
  bool served = false;
  for (const auto until = std::chrono::steady_clock::now() + 60s;
       !served && std::chrono::steady_clock::now() < until;) {
    served = server.guest().attest(plain());
  }
  EXPECT_TRUE(served);
}

// ---- The end.

TEST(Server, StopLetsARunningAttemptFinishAndAdmitsNoOther) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.grace = 60s;
  Running server(broker, config);
  GuestEnd idle = server.guest(), running = server.guest();
  ASSERT_TRUE(running.negotiate(plain()));
  server.signal_stop();
  EXPECT_EQ(idle.receive(), "(closed)");
  EXPECT_FALSE(server.path_exists());
  EXPECT_TRUE(running.conclude(plain()));
  EXPECT_TRUE(server.ended());
}

TEST(Server, StopLeavesWhoWasToldTheTimeToRead) {
  FakeBroker broker(plain());
  ServerConfig config = one_session();
  config.grace = 0s;
  HandClock clock;
  Running server(broker, config, {}, &clock);
  GuestEnd running = server.guest(), waiting = server.guest();
  ASSERT_TRUE(running.negotiate(plain()));
  ASSERT_TRUE(waiting.send(plain().negotiation_request));
  server.signal_stop();
  EXPECT_EQ(code_in(waiting.receive(), Phase::negotiation), "proxy_stopping");
  EXPECT_EQ(code_in(running.receive(), Phase::attestation), "proxy_stopping");
  EXPECT_FALSE(server.has_ended()) << "both lines are still read";
  running.hang_up();
  waiting.hang_up();
  EXPECT_TRUE(server.ended());
}

TEST(Server, SecondStopCancelsAndTheGuestIsTold) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.grace = 60s;
  Running server(broker, config);
  GuestEnd idle = server.guest(), waited_for = server.guest();
  ASSERT_TRUE(waited_for.negotiate(plain()));
  server.signal_stop();
  ASSERT_EQ(idle.receive(), "(closed)") << "the first stop was heeded, so the second is a second";
  server.signal_stop();
  EXPECT_EQ(code_in(waited_for.receive(), Phase::attestation), "proxy_stopping");
  EXPECT_TRUE(server.ended());
}

TEST(Server, GraceThatIsOverCancelsABrokerThatHangs) {
  FakeBroker broker(plain());
  broker.hang = FakeBroker::Call::auth;
  ServerConfig config = Running::defaults();
  config.grace = 50ms;
  Running server(broker, config);
  GuestEnd guest = server.guest();
  ASSERT_TRUE(guest.send(plain().negotiation_request));
  while (broker.hanging == 0) std::this_thread::yield();
  server.signal_stop();
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "proxy_stopping");
  EXPECT_TRUE(server.ended());
}

TEST(UnixListener, TakesOverAStaleSocketOnlyIfNobodyListens) {
  const Directory directory;
  const auto first = listen_on_unix(directory.socket(), posix::IfExists::refuse);
  ASSERT_TRUE(first);
  EXPECT_FALSE(listen_on_unix(directory.socket(), posix::IfExists::take_over)) << "somebody listens";
  struct stat about {};
  ASSERT_EQ(lstat(directory.socket().c_str(), &about), 0) << "the attempt left the listener's socket alone";
  EXPECT_EQ(about.st_mode & 0777, 0600U);

  // What a killed proxy leaves: a socket with no listener.
  const std::string stale = directory.socket() + ".2";
  { const auto killed = posix::listen_unix(stale, 1, posix::IfExists::refuse); }
  EXPECT_FALSE(listen_on_unix(stale, posix::IfExists::refuse));
  EXPECT_TRUE(listen_on_unix(stale, posix::IfExists::take_over));
  EXPECT_NE(lstat(stale.c_str(), &about), 0) << "removed with its listener";
}

TEST(UnixListener, LeavesASocketThatIsNotItsOwn) {
  const Directory directory;
  auto listener = listen_on_unix(directory.socket(), posix::IfExists::refuse);
  ASSERT_TRUE(listener);
  ASSERT_EQ(unlink(directory.socket().c_str()), 0);
  const auto successor = posix::listen_unix(directory.socket(), 1, posix::IfExists::refuse);
  ASSERT_TRUE(successor);
  listener->reset();
  struct stat about {};
  EXPECT_EQ(lstat(directory.socket().c_str(), &about), 0);
}

}  // namespace
}  // namespace attestbed::proxy
