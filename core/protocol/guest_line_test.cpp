// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/guest_line.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/manual_clock.h"

namespace attestbed::protocol {
namespace {

using namespace std::chrono_literals;

std::string framed(std::string_view body) {
  std::string frame;
  for (std::size_t i = 0; i < kFramePrefixBytes; ++i) frame += static_cast<char>(body.size() >> (8 * i) & 0xff);
  return frame + std::string(body);
}

// Texts, not our encoder's work. The challenges are 16 octets of 0x00 and 16 octets of 0xff.
const std::string kRequest = R"({"version":"0.1.0","tee":"snp"})";
const std::string kChallenge = R"({"challenge":"AAAAAAAAAAAAAAAAAAAAAA==","params":["EcPublicKeyBytes","Challenge"]})";
const std::string kSameChallenge =
    R"({ "params" : ["EcPublicKeyBytes","Challenge"], "challenge" : "AAAA\u0041AAAAAAAAAAAAAAAAA==" })";
const std::string kOtherChallenge =
    R"({"challenge":"/////////////////////w==","params":["EcPublicKeyBytes","Challenge"]})";
const std::string kVerdict = R"({"success":false})";

/// Line is the host's end as a list of what arrives when. Time passes only while the guest waits.
class Line final : public Transport {
 public:
  explicit Line(sim::ManualClock& clock) : clock_(clock), start_(clock.now()) {}

  void restart() {
    start_ = clock_.now();
    coming_.clear();
    next_ = 0;
  }
  /// arrives has these octets come `after` the start of the test; to be called in the order of time.
  void arrives(std::chrono::nanoseconds after, std::string_view octets) {
    for (const char octet : octets) coming_.push_back({start_ + after, static_cast<std::uint8_t>(octet)});
  }
  /// chatters has one octet come every `every`, for ever.
  void chatters(std::chrono::nanoseconds every) { every_ = every; }

  Result<std::size_t> read_some(MutBytes into, Deadline until) override {
    if (every_ > 0ns) {
      if (clock_.now() + every_ > until) return late(until);
      clock_.advance(every_);
      into[0] = '#';
      return 1;
    }
    if (next_ == coming_.size() || coming_[next_].at > until) return late(until);
    clock_.wait_until(coming_[next_].at);
    std::size_t n = 0;
    while (n < into.size() && next_ < coming_.size() && coming_[next_].at <= clock_.now()) {
      into[n++] = coming_[next_++].octet;
    }
    return n;
  }
  Status write_all(Bytes from, Deadline until) override {
    if (clock_.now() >= until) return Error{Errc::deadline, "Line"};
    if (sent.size() + from.size() > takes) return Error{Errc::transport, "Line", 32};
    sent.append(text_of(from));
    if (sent_at.empty() || sent_at.back() != clock_.now() - start_) sent_at.push_back(clock_.now() - start_);
    return ok();
  }
  std::size_t unread() const { return coming_.size() - next_; }
  std::chrono::nanoseconds passed() const { return clock_.now() - start_; }

  std::string sent;
  std::size_t takes = kMaxFrameBytes * 4;  // octets; one more and the line breaks, for writing
  std::vector<std::chrono::nanoseconds> sent_at;

 private:
  struct Octet {
    Instant at;
    std::uint8_t octet;
  };
  Error late(Deadline until) {
    clock_.wait_until(until);
    return {Errc::deadline, "Line"};
  }

  sim::ManualClock& clock_;
  Instant start_;
  std::vector<Octet> coming_;
  std::size_t next_ = 0;
  std::chrono::nanoseconds every_{0};
};

class GuestLineTest : public testing::Test {
 protected:
  GuestLine guest(LineKind kind, std::chrono::nanoseconds budget = 60s) {
    return GuestLine(line_, kind, clock_, clock_.now() + budget);
  }
  Result<MutBytes> conclude(GuestLine& guest) {
    return guest.conclude(bytes_of(std::string_view("{}")), *Challenge::make(ByteArray<16>{}), nullptr, into_,
                          scratch_);
  }

  sim::ManualClock clock_;
  Line line_{clock_};
  std::vector<std::uint8_t> into_ = std::vector<std::uint8_t>(kMaxFrameBytes);
  std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(kMaxFrameBytes);
};

TEST_F(GuestLineTest, DrainsUntilTheLineWasSilentFor20Milliseconds) {
  line_.arrives(0ms, "login: ");
  line_.arrives(19ms, "\r\n");
  line_.arrives(50ms, framed(kChallenge));
  auto guest = this->guest(LineKind::serial);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kChallenge);
  EXPECT_EQ(line_.sent_at, (std::vector<std::chrono::nanoseconds>{39ms}));
  EXPECT_EQ(line_.sent, framed(kRequest));
  EXPECT_EQ(guest.octets_sent(), 8U + kRequest.size());
  EXPECT_EQ(guest.octets_received(), 8U + kChallenge.size());
}

struct NeverSilent {
  const char* name;
  std::chrono::milliseconds budget, ends_after;
};
class GuestLineNoise : public GuestLineTest, public testing::WithParamInterface<NeverSilent> {};
TEST_P(GuestLineNoise, ALineThatIsNeverSilentIsNoise) {
  line_.chatters(7ms);
  auto guest = this->guest(LineKind::serial, GetParam().budget);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::line_noise);
  EXPECT_GT(answer.error().found, 0U);
  EXPECT_TRUE(line_.sent.empty()) << "the guest speaks into the noise";
  EXPECT_LE(line_.passed(), GetParam().ends_after);
}
INSTANTIATE_TEST_SUITE_P(Table, GuestLineNoise,
                         testing::Values(NeverSilent{"ByTheLimit", 60s, 2s},
                                         NeverSilent{"ByTheDeadline", 500ms, 500ms}),
                         [](const auto& row) { return row.param.name; });

TEST_F(GuestLineTest, RepeatsItsRequestOctetForOctetEveryFiveSeconds) {
  line_.arrives(17s, framed(kChallenge));
  auto guest = this->guest(LineKind::serial);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kChallenge);
  EXPECT_EQ(line_.sent_at, (std::vector<std::chrono::nanoseconds>{20ms, 5020ms, 10020ms, 15020ms}));
  EXPECT_EQ(line_.sent, framed(kRequest) + framed(kRequest) + framed(kRequest) + framed(kRequest));
  EXPECT_EQ(guest.requests(), 4U);
  EXPECT_EQ(guest.octets_sent(), 4 * (8 + kRequest.size()));
}

TEST_F(GuestLineTest, RepeatsNothingThatCouldNotBeAnsweredBeforeTheDeadline) {
  auto guest = this->guest(LineKind::serial, 12s);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline);
  EXPECT_EQ(line_.sent_at, (std::vector<std::chrono::nanoseconds>{20ms, 5020ms, 10020ms}));
  EXPECT_EQ(line_.passed(), 12s);
}

TEST_F(GuestLineTest, AnAnswerThatBeganIsWaitedForAndNotAskedForAgain) {
  const std::string frame = framed(kChallenge);
  line_.arrives(4s, frame.substr(0, 1));
  line_.arrives(9s, frame.substr(1, 20));
  line_.arrives(25s, frame.substr(21));
  auto guest = this->guest(LineKind::serial);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kChallenge);
  EXPECT_EQ(guest.requests(), 1U);
}

TEST_F(GuestLineTest, AnAnswerThatStopsHalfwayEndsAtTheDeadline) {
  line_.arrives(4s, framed(kChallenge).substr(0, 3));
  auto guest = this->guest(LineKind::serial);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::deadline);
  EXPECT_EQ(guest.requests(), 1U);
  EXPECT_EQ(line_.passed(), 60s);
}

TEST_F(GuestLineTest, AConnectedLineIsNeitherDrainedNorAskedAgain) {
  line_.arrives(0ms, framed(kChallenge));
  auto guest = this->guest(LineKind::connected);
  const auto answer = guest.negotiate(bytes_of(kRequest), into_);
  ASSERT_TRUE(answer) << "what came first is the answer";
  EXPECT_EQ(line_.passed(), 0ms);

  auto silent = this->guest(LineKind::connected);
  const auto none = silent.negotiate(bytes_of(kRequest), into_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::deadline);
  EXPECT_EQ(silent.requests(), 1U);
}

// What the host sends after the guest has asked three times and then concluded.
class GuestLineCrossing : public GuestLineTest {
 protected:
  GuestLine after_three_requests(std::initializer_list<std::string> later) {
    line_.arrives(12s, framed(kChallenge));
    auto guest = this->guest(LineKind::serial);
    const auto answer = guest.negotiate(bytes_of(kRequest), into_);
    EXPECT_TRUE(answer);
    EXPECT_EQ(guest.requests(), 3U);
    for (const std::string& message : later) line_.arrives(13s, framed(message));
    return guest;
  }
};

TEST_F(GuestLineCrossing, DropsAnswersToItsRepetitions) {
  auto guest = after_three_requests({kChallenge, kSameChallenge, kVerdict});
  const auto answer = conclude(guest);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kVerdict);
  EXPECT_EQ(line_.unread(), 0U);
}

TEST_F(GuestLineCrossing, NeedsNone) {
  auto guest = after_three_requests({kVerdict});
  const auto answer = conclude(guest);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kVerdict);
}

TEST_F(GuestLineCrossing, DropsNoMoreThanItRepeated) {
  auto guest = after_three_requests({kChallenge, kChallenge, kChallenge, kChallenge, kVerdict});
  const auto answer = conclude(guest);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(*answer), kChallenge) << "the third is handed on, and is no AttestationResponse";
  EXPECT_EQ(line_.unread(), framed(kChallenge).size() + framed(kVerdict).size());
}

TEST_F(GuestLineCrossing, HandsOnEverythingElseAsItCame) {
  for (const std::string& other :
       {kOtherChallenge, std::string("{}"), std::string("no JSON"), std::string("[1]"), kChallenge.substr(0, 30)}) {
    line_.restart();
    auto guest = after_three_requests({other});
    const auto answer = conclude(guest);
    ASSERT_TRUE(answer);
    EXPECT_EQ(text_of(*answer), other) << "decoding in place must not have touched it";
    EXPECT_FALSE(guest.refused());
  }
}

TEST_F(GuestLineCrossing, KeepsTheRefusalOfARepetition) {
  auto guest = after_three_requests(
      {R"({"ext":{"error":{"code":"attempts_exhausted","phase":"negotiation","detail":"wait"}}})"});
  ASSERT_TRUE(conclude(guest));
  ASSERT_TRUE(guest.refused());
  EXPECT_EQ(guest.refused()->code, Errc::attempts_exhausted);
  EXPECT_EQ(guest.refused()->detail(), "wait");
}

TEST_F(GuestLineTest, WhoAskedOnceDropsNothing) {
  for (const LineKind kind : {LineKind::connected, LineKind::serial}) {
    line_.restart();
    line_.arrives(1s, framed(kChallenge) + framed(kChallenge) + framed(kVerdict));
    auto guest = this->guest(kind);
    ASSERT_TRUE(guest.negotiate(bytes_of(kRequest), into_));
    const auto answer = conclude(guest);
    ASSERT_TRUE(answer);
    EXPECT_EQ(text_of(*answer), kChallenge);
  }
}

TEST_F(GuestLineTest, DrainingASilentLineTooLateIsALateness) {
  const Status drained = drain_until_silence(line_, clock_, 20ms, clock_.now() + 10ms);
  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().code, Errc::deadline);
}

// A host may refuse and close at once, so that the guest's write fails before it reads what is there.
const std::string kBusy = R"({"ext":{"error":{"code":"proxy_busy","phase":"negotiation","detail":"later"}}})";
const std::string kLate =
    R"({"success":false,"decryption":null,"token":null,"ext":{"error":{"code":"guest_timeout","phase":"attestation","detail":""}}})";

TEST_F(GuestLineTest, ARefusalThatIsThereIsReadThoughSendingFails) {
  line_.takes = 0;
  line_.arrives(0ms, framed(kBusy));
  auto guest = this->guest(LineKind::connected);
  ASSERT_TRUE(guest.negotiate(bytes_of(kRequest), into_));
  ASSERT_TRUE(guest.refused());
  EXPECT_EQ(guest.refused()->code, Errc::proxy_busy);
  EXPECT_EQ(guest.octets_sent(), 0U);
  EXPECT_EQ(guest.octets_received(), 8U + kBusy.size());
}

TEST_F(GuestLineTest, ARefusalOfEitherPhaseIsReadThoughTheSecondFrameIsNotTaken) {
  for (const auto& [body, code] : {std::pair{kLate, Errc::guest_timeout}, std::pair{kBusy, Errc::proxy_busy}}) {
    line_.restart();
    line_.takes = line_.sent.size() + framed(kRequest).size();
    line_.arrives(0ms, framed(kChallenge) + framed(body));
    auto guest = this->guest(LineKind::connected);
    ASSERT_TRUE(guest.negotiate(bytes_of(kRequest), into_));
    ASSERT_TRUE(conclude(guest));
    ASSERT_TRUE(guest.refused());
    EXPECT_EQ(guest.refused()->code, code);
  }
}

TEST_F(GuestLineTest, WithoutARefusalTheFailureToSendIsTheError) {
  for (const std::string& there :
       {std::string(), framed(kChallenge), framed(kVerdict), framed("{"), std::string(8, '\0')}) {
    line_.restart();
    line_.takes = 0;
    line_.arrives(0ms, there);
    auto guest = this->guest(LineKind::connected);
    const auto failed = guest.negotiate(bytes_of(kRequest), into_);
    ASSERT_FALSE(failed) << there;
    EXPECT_EQ(failed.error().code, Errc::transport) << there;
    EXPECT_FALSE(guest.refused());
    EXPECT_LE(line_.passed(), 1s);
  }
}

TEST_F(GuestLineTest, LookingForARefusalEndsByTheDeadline) {
  line_.takes = 0;
  auto guest = this->guest(LineKind::connected, 300ms);
  EXPECT_EQ(guest.negotiate(bytes_of(kRequest), into_).error().code, Errc::transport);
  EXPECT_EQ(line_.passed(), 300ms);
}

}  // namespace
}  // namespace attestbed::protocol
