// SPDX-License-Identifier: Apache-2.0
// How long an attempt may last, on a clock that moves by hand.
#include <gtest/gtest.h>

#include <cstring>

#include "proxy/fake_broker.h"
#include "proxy/hand_clock.h"
#include "proxy/session.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

// A guest that sends one frame after `thinks` and reads so slowly that every write takes `reads`.
class SlowGuest final : public Transport {
 public:
  SlowGuest(HandClock& clock, const std::string& body, std::chrono::nanoseconds thinks, std::chrono::nanoseconds reads)
      : clock_(clock), thinks_(thinks), reads_(reads), octets_(8, '\0') {
    octets_[0] = static_cast<char>(body.size());
    octets_ += body;
  }
  Result<std::size_t> read_some(MutBytes into, Deadline until) override {
    if (clock_.now() + thinks_ > until || octets_.empty()) {
      clock_.wait_until(until);
      return Error{Errc::deadline, "SlowGuest"};
    }
    clock_.move(std::exchange(thinks_, 0ns));
    const std::size_t size = std::min(into.size(), octets_.size());
    std::memcpy(into.data(), octets_.data(), size);
    octets_.erase(0, size);
    return size;
  }
  Status write_all(Bytes, Deadline until) override {
    if (clock_.now() + reads_ > until) {
      clock_.wait_until(until);
      return Error{Errc::deadline, "SlowGuest"};
    }
    clock_.move(reads_);
    return ok();
  }

 private:
  HandClock& clock_;
  std::chrono::nanoseconds thinks_, reads_;
  std::string octets_;
};

TEST(SessionDeadline, ASlowAnswerAndARefusalShareTheRefusalBudget) {
  FakeBroker broker(vector_case("plain"));
  HandClock clock;
  clock.move(1h);
  SlowGuest guest(clock, vector_case("plain").negotiation_request, 1800ms, 950ms);
  const SessionConfig config{.resource = {}, .allowed = {protocol::ResourcePath()}, .budget = 2s, .refusal_budget = 2s};
  const std::atomic<bool> cancelled = false;
  SessionLog log(7, "test");
  const Instant began = clock.now();
  EXPECT_EQ(serve_attempt(guest, *broker.open(cancelled), config, clock, cancelled, log), LineState::lost);
  EXPECT_LE(clock.now() - began, config.budget + config.refusal_budget);
}

}  // namespace
}  // namespace attestbed::proxy
