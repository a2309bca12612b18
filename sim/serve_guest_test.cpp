// SPDX-License-Identifier: Apache-2.0
#include "sim/serve_guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/posix/firmware_socket.h"
#include "core/snp/guest_message.h"
#include "sim/launch_config.h"
#include "sim/loopback.h"

// The page protocol without a socket: requests are written first, then the server reads them until it finds an end.
namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

/// Notes keeps what the server tells.
class Notes final : public ServeObserver {
 public:
  void launched(std::uint64_t) override {}
  void answered(std::uint64_t, const snp::GuestRequestExit& exit, const CallRecord* call, const Fault* fault) override {
    exits.push_back(exit);
    reached.push_back(call != nullptr);
    faulted.push_back(fault != nullptr);
  }
  void ended(std::uint64_t, const Error&) override {}
  void turned_away(const Error&) override {}
  std::vector<snp::GuestRequestExit> exits;
  std::vector<bool> reached, faulted;
};

class ServeGuest : public testing::Test {
 protected:
  ServeGuest() {
    static const auto authority =
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan));
    const LaunchConfig config{Machine::of(authority), kDefaultPolicy, {}, {}, Seed{1}};
    firmware_.emplace(config.machine, *launch_guest(config, 1));
  }

  void send(std::uint32_t kind, std::uint32_t length, Bytes body = {}) {
    const posix::FirmwareRequestHead head{kind, length};
    ASSERT_TRUE(line_.a().write_all({reinterpret_cast<const std::uint8_t*>(&head), sizeof head}, soon()));
    ASSERT_TRUE(line_.a().write_all(body, soon()));
  }
  void send_secrets() { send(1, 0); }
  /// send_extended offers room for certificates; its request is the first.
  void send_extended(std::uint32_t pages, std::uint32_t reserved) {
    const snp::Page page = request_page(1);
    const posix::FirmwareExtendedHead room{pages, reserved};
    const auto* head = reinterpret_cast<const std::uint8_t*>(&room);
    std::vector<std::uint8_t> body(head, head + sizeof room);
    body.insert(body.end(), page.begin(), page.end());
    send(3, 4104, body);
  }
  void send_request(std::uint64_t seqno) { send(2, 4096, request_page(seqno)); }
  snp::Page request_page(std::uint64_t seqno) {
    snp::MsgReportReq request{};
    snp::Page page;
    EXPECT_TRUE(snp::seal_guest_message(
        firmware_->guest().vmpcks[0],
        {snp::MsgType::report_req, 1, 0, seqno, {reinterpret_cast<const std::uint8_t*>(&request), sizeof request}},
        page));
    return page;
  }

  /// serve runs the server over what was sent; `hang_up` makes the end of it orderly.
  Error serve(bool hang_up, const HostConfig& host = {}) {
    if (hang_up) line_.a().close();
    return serve_guest(line_.b(), clock_, *firmware_, host, limits_, 1, notes_);
  }

  struct Answer {
    posix::FirmwareAnswerHead head;
    std::vector<std::uint8_t> body;
  };
  std::optional<Answer> receive() {
    Answer answer;
    ByteArray<16> head{};
    if (!read(head)) return std::nullopt;
    std::memcpy(&answer.head, head.data(), head.size());
    answer.body.resize(answer.head.length);
    if (!read(answer.body)) return std::nullopt;
    return answer;
  }
  bool read(MutBytes into) {
    while (!into.empty()) {
      const auto got = line_.a().read_some(into, soon());
      if (!got) return false;
      into = into.subspan(*got);
    }
    return true;
  }
  Deadline soon() { return clock_.now() + 1s; }

  ManualClock clock_;
  LoopbackPair line_{clock_, {.capacity = 1 << 16, .max_read = 100}};
  std::optional<Firmware> firmware_;
  ServeLimits limits_;
  Notes notes_;
};

TEST_F(ServeGuest, APeerThatIsGoneEndsTheConversation) {
  send_secrets();
  send_request(1);
  send_request(3);
  EXPECT_EQ(serve(true).code, Errc::transport);
}

TEST_F(ServeGuest, AnswersInOrderWithPages) {
  send_secrets();
  send_request(1);
  send_request(1);
  EXPECT_EQ(serve(false).code, Errc::deadline) << "nothing more came within the idle limit";
  const auto secrets = receive(), report = receive(), replay = receive();
  ASSERT_TRUE(secrets && report && replay);
  EXPECT_EQ(secrets->body.size(), 4096U);
  EXPECT_TRUE(equal_ct(Bytes(secrets->body).subspan(0x20, 32), firmware_->guest().vmpcks[0].expose()));
  EXPECT_EQ(report->head.firmware, 0U);
  EXPECT_EQ(report->body.size(), 4096U);
  EXPECT_EQ(replay->head.firmware, 0x1dU);
  EXPECT_TRUE(replay->body.empty());
  EXPECT_FALSE(receive()) << "one answer per request";
  EXPECT_EQ(notes_.exits.size(), 2U);
}

TEST_F(ServeGuest, AppliesTheFaultPlan) {
  send_secrets();
  send_request(1);
  send_request(1);
  EXPECT_EQ(serve(false, {.faults = {{1, false, FaultKind::busy, {}}}}).code, Errc::deadline);
  const auto secrets = receive(), busy = receive(), report = receive();
  ASSERT_TRUE(secrets && busy && report);
  EXPECT_EQ(busy->head.vmm, 2U);
  EXPECT_TRUE(busy->body.empty());
  EXPECT_EQ(report->head.vmm, 0U);
  EXPECT_EQ(report->body.size(), 4096U);
  EXPECT_EQ(notes_.reached, (std::vector<bool>{false, true}));
  EXPECT_EQ(notes_.faulted, (std::vector<bool>{true, false}));
}

TEST_F(ServeGuest, AHostThatAnswersTwiceIsOneAnswerAhead) {
  send_secrets();
  send_request(1);
  send_request(3);
  EXPECT_EQ(serve(false, {.faults = {{1, false, FaultKind::twice, {}}}}).code, Errc::deadline);
  const auto secrets = receive(), first = receive(), again = receive(), second = receive();
  ASSERT_TRUE(secrets && first && again && second);
  EXPECT_EQ(again->body, first->body);
  EXPECT_EQ(first->body.at(0x20), 2) << "MSG_SEQNO of the first reply";
  EXPECT_EQ(second->body.at(0x20), 4) << "and of the second";
  EXPECT_FALSE(receive());
  EXPECT_EQ(notes_.exits.size(), 2U) << "the firmware was asked twice, and answered three times";
}

TEST_F(ServeGuest, ASilentHostAnswersNothing) {
  send_secrets();
  send_request(1);
  EXPECT_EQ(serve(false, {.faults = {{1, false, FaultKind::silence, {}}}}).code, Errc::deadline);
  EXPECT_TRUE(receive());
  EXPECT_FALSE(receive());
}

struct Malformed {
  const char* name;
  bool secrets_first;
  std::uint32_t kind, length;
  std::size_t body;
  bool hang_up;
  Errc expected;
};
class MalformedRequests : public ServeGuest, public testing::WithParamInterface<Malformed> {};

TEST_P(MalformedRequests, EndTheConnectionWithoutAnAnswer) {
  const Malformed& c = GetParam();
  if (c.secrets_first) send_secrets();
  const std::vector<std::uint8_t> body(c.body);
  send(c.kind, c.length, body);
  EXPECT_EQ(serve(c.hang_up).code, c.expected);
  if (c.secrets_first) {
    EXPECT_TRUE(receive());
  }
  EXPECT_FALSE(receive());
}
INSTANTIATE_TEST_SUITE_P(
    Kinds, MalformedRequests,
    testing::Values(Malformed{"KindZero", false, 0, 0, 0, false, Errc::bad_value},
                    Malformed{"KindFour", true, 4, 0, 0, false, Errc::bad_value},
                    Malformed{"KindHuge", true, 0xffffffff, 0xffffffff, 0, false, Errc::bad_value},
                    Malformed{"SecretsWithBody", false, 1, 1, 1, false, Errc::bad_length},
                    Malformed{"RequestTooShort", true, 2, 4095, 4095, false, Errc::bad_length},
                    Malformed{"RequestTooLong", true, 2, 4097, 4097, false, Errc::bad_length},
                    Malformed{"RequestHuge", true, 2, 0xffffffff, 0, false, Errc::bad_length},
                    Malformed{"ExtendedTooShort", true, 3, 4096, 4096, false, Errc::bad_length},
                    Malformed{"ExtendedTooLong", true, 3, 4105, 4105, false, Errc::bad_length},
                    Malformed{"ExtendedBeforeSecrets", false, 3, 4104, 4104, false, Errc::contradiction},
                    Malformed{"RequestBeforeSecrets", false, 2, 4096, 4096, false, Errc::contradiction},
                    Malformed{"SecretsTwice", true, 1, 0, 0, false, Errc::contradiction},
                    Malformed{"HalfARequestThenSilence", true, 2, 4096, 100, false, Errc::deadline}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ServeGuest, GivesTheHostsCertificatesIfThereIsRoom) {
  send_secrets();
  send_extended(1, 0);
  send_extended(2, 0);
  send_request(3);
  const HostConfig host{.certificates = std::vector<std::uint8_t>(4097, 0x77)};
  EXPECT_EQ(serve(false, host).code, Errc::deadline);
  const auto secrets = receive(), no_room = receive(), report = receive(), plain = receive();
  ASSERT_TRUE(secrets && no_room && report && plain);
  EXPECT_EQ(no_room->head.vmm, 1U);
  EXPECT_EQ(no_room->head.pages, 2U);
  EXPECT_TRUE(no_room->body.empty());
  EXPECT_EQ(report->head.vmm, 0U);
  EXPECT_EQ(report->head.pages, 0U);
  ASSERT_EQ(report->body.size(), 3U * 4096);
  EXPECT_EQ(std::count(report->body.begin() + 4096, report->body.end(), 0x77), 4097);
  EXPECT_EQ(std::count(report->body.begin() + 4096 + 4097, report->body.end(), 0), 4095);
  EXPECT_EQ(plain->body.size(), 4096U);
  EXPECT_EQ(plain->head.firmware, 0U) << "the request without room was not counted";
}

TEST_F(ServeGuest, EndsALineThatOffersImpossibleRoom) {
  send_secrets();
  send_extended(5, 0);
  EXPECT_EQ(serve(false).code, Errc::too_large);
}

TEST_F(ServeGuest, EndsALineThatSetsReservedOctets) {
  send_secrets();
  send_extended(1, 0x80000000);
  EXPECT_EQ(serve(false).code, Errc::reserved_set);
}

TEST_F(ServeGuest, HalfAHeadThenEndIsClosed) {
  const ByteArray<3> half{1, 0, 0};
  ASSERT_TRUE(line_.a().write_all(half, soon()));
  EXPECT_EQ(serve(true).code, Errc::closed);
}

TEST_F(ServeGuest, AnIdleGuestIsEndedAtTheLimit) {
  const Instant before = clock_.now();
  EXPECT_EQ(serve(false).code, Errc::deadline);
  EXPECT_EQ(clock_.now() - before, limits_.idle);
}

TEST_F(ServeGuest, AStartedRequestHasAShorterLimit) {
  const ByteArray<3> half{1, 0, 0};
  ASSERT_TRUE(line_.a().write_all(half, soon()));
  const Instant before = clock_.now();
  EXPECT_EQ(serve(false).code, Errc::deadline);
  EXPECT_EQ(clock_.now() - before, limits_.request);
}

}  // namespace
}  // namespace attestbed::sim
