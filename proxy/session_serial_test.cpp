// SPDX-License-Identifier: Apache-2.0
// One attempt on a serial line: noise before the first frame, and requests that come again.
#include <gtest/gtest.h>

#include <future>

#include "core/protocol/frame.h"
#include "proxy/fake_broker.h"
#include "proxy/log_capture.h"
#include "proxy/session.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using protocol::Phase;

const VectorCase& plain() {
  return vector_case("plain");
}

class SerialAttempt {
 public:
  /// attempts: the first, which the server takes for it, and those that begin anew
  explicit SerialAttempt(FakeBroker& broker, int attempts = 16)
      : ends_(socket_pair()), left_(attempts - 1), guest(std::move(ends_.guest_end)) {
    state_ = std::async(std::launch::async, [this, &broker] {
      posix::SteadyClock clock;
      posix::FdTransport wire(std::move(ends_.proxy_end), clock);
      SessionLog log(7, "test");
      const SessionConfig config{.resource = {}, .allowed = {protocol::ResourcePath()}, .budget = 60s};
      const auto start = protocol::find_frame(wire, clock.now() + 60s);
      if (!start) return LineState::lost;
      const LineRules rules{.kind = LineKind::serial,
                            .start = *start,
                            .take_attempt = [this] { return left_-- > 0; },
                            .open_broker = [this, &broker] { return broker.open(cancelled_); }};
      return serve_attempt(wire, *broker.open(cancelled_), config, clock, cancelled_, log, rules);
    });
  }
  ~SerialAttempt() { guest.hang_up(); }
  LineState state() { return state_.get(); }

 private:
  SocketPair ends_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<int> left_;

 public:
  GuestEnd guest;

 private:
  std::future<LineState> state_;
};

TEST(SerialSession, SkipsNoiseBeforeTheFirstFrame) {
  LogCapture log;
  FakeBroker broker(plain());
  SerialAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send_raw("[    0.000000] Linux version 6.1\r\n"));
  EXPECT_TRUE(attempt.guest.attest(plain()));
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_TRUE(log.has(R"("event":"skipped")")) << log.text();
  EXPECT_TRUE(log.has(R"("octets":34)")) << log.text();
}

// A guest that waited for a slow broker has asked several times. When it is refused, none of that may begin an attempt
// whose refusal the next guest would read.
TEST(SerialSession, RefusalAnswersWhatWasRepeatedMeanwhileToo) {
  FakeBroker broker(plain());
  broker.fault = [](FakeBroker::Call) { return Failure{Errc::broker_unreachable, "nobody there", {}}; };
  SocketPair ends = socket_pair();
  GuestEnd guest(std::move(ends.guest_end));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(guest.send(plain().negotiation_request));
  posix::SteadyClock clock;
  posix::FdTransport wire(std::move(ends.proxy_end), clock);
  std::atomic<bool> cancelled = false;
  SessionLog log(7, "test");
  const SessionConfig config{.resource = {}, .allowed = {protocol::ResourcePath()}, .budget = 60s};
  const auto start = protocol::find_frame(wire, clock.now() + 60s);
  ASSERT_TRUE(start);
  const LineRules rules{.kind = LineKind::serial,
                        .start = *start,
                        .take_attempt = [] { return true; },
                        .open_broker = [] { return nullptr; }};
  EXPECT_EQ(serve_attempt(wire, *broker.open(cancelled), config, clock, cancelled, log, rules), LineState::in_step);
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "broker_unreachable");
  ByteArray<1> octet{};
  const auto left = wire.read_some(octet, clock.now() + 1ms);
  ASSERT_FALSE(left) << "a repetition is left on the line";
  EXPECT_EQ(left.error().code, Errc::deadline);
}

TEST(SerialSession, ARequestThatComesAgainIsAnsweredWithTheSameOctets) {
  FakeBroker broker(plain());
  SerialAttempt attempt(broker);
  // Three were on their way before the first answer was.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  for (int i = 0; i < 3; ++i) ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response) << i;
  ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
  EXPECT_EQ(attempt.guest.receive(), plain().attestation_response);
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(broker.sessions, 1) << "the nonce of the first is still unused";
}

TEST(SerialSession, AnotherRequestOpensAnotherSessionAtTheBroker) {
  LogCapture log;
  FakeBroker broker(plain());
  SerialAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  // The same meaning in other octets: a guest that was reset and runs another program.
  ASSERT_TRUE(attempt.guest.send(R"({"tee":"snp","version":[0,1,0]})"));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
  EXPECT_EQ(attempt.guest.receive(), plain().attestation_response);
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(broker.sessions, 2);
  EXPECT_TRUE(log.has(R"("same":false)")) << log.text();
}

TEST(SerialSession, BeginningAnewIsRefusedInTheFirstPhase) {
  FakeBroker broker(plain());
  SerialAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(R"({"version":[9,0,0],"tee":"snp"})"));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "version_unsupported");
  EXPECT_EQ(attempt.state(), LineState::in_step);
}

TEST(SerialSession, EveryRequestCountsAgainstTheBudget) {
  FakeBroker broker(plain());
  SerialAttempt attempt(broker, 2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
    ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  }
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "attempts_exhausted");
  EXPECT_EQ(attempt.state(), LineState::in_step);
}

TEST(SerialSession, NoiseInsideAnAttemptEndsIt) {
  FakeBroker broker(plain());
  SerialAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send_raw("a word from the kernel\r\n"));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::attestation), "malformed_request");
  EXPECT_EQ(attempt.state(), LineState::lost);
}

}  // namespace
}  // namespace attestbed::proxy
