// SPDX-License-Identifier: Apache-2.0
#include "core/snp/guest_channel.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

namespace attestbed::snp {
namespace {

Vmpck test_key() {
  Vmpck key;
  std::memset(key.expose_mut().data(), 0x42, 32);
  return key;
}

class HandClock final : public Clock {
 public:
  Instant now() override { return at; }
  void wait_until(Instant until) override { at = until; }
  Instant at{};
};

// The other end of the page: opens the request under the key and answers as firmware would, then lets the test change
// one thing about the answer. The complete model is sim/; this one has only what these rules need.
class AnsweringPort final : public GuestRequestPort {
 public:
  struct Answer {
    MsgType type = MsgType::report_rsp;
    std::uint8_t version = 1;
    std::uint8_t vmpck = 0;
    std::uint64_t seqno = 0;
    MsgReportRsp payload{};
  };
  Result<GuestRequestExit> call(const Page& request, Page& reply, Deadline) override {
    requests.push_back(request);
    if (const auto exit = before(); !exit || exit->vmm != 0 || exit->firmware != 0) return exit;
    Page scratch;
    const auto opened = open_guest_message(test_key(), request, scratch);
    EXPECT_TRUE(opened);
    if (!opened) return Error{Errc::transport, "AnsweringPort"};
    MsgReportReq asked;
    std::memcpy(&asked, opened->payload.data(), sizeof asked);
    Answer answer;
    answer.seqno = opened->seqno + 1;
    answer.payload.report_size = kReportBytes;
    answer.payload.report.version = 3;
    answer.payload.report.vmpl = asked.vmpl;
    answer.payload.report.report_data = asked.report_data;
    change(answer);
    const Bytes octets(reinterpret_cast<const std::uint8_t*>(&answer.payload), sizeof answer.payload);
    EXPECT_TRUE(
        seal_guest_message(test_key(), {answer.type, answer.version, answer.vmpck, answer.seqno, octets}, reply));
    spoil(reply);
    return GuestRequestExit{};
  }
  std::function<Result<GuestRequestExit>()> before = [] { return GuestRequestExit{}; };
  std::function<void(Answer&)> change = [](Answer&) {};
  std::function<void(Page&)> spoil = [](Page&) {};
  std::vector<Page> requests;
};

ReportData report_data(std::uint8_t octet) {
  ReportData data;
  data.fill(octet);
  return data;
}

class GuestChannelTest : public testing::Test {
 protected:
  Deadline in(std::chrono::nanoseconds budget) { return clock_.now() + budget; }
  HandClock clock_;
  AnsweringPort port_;
  ChannelPages pages_{};
  GuestChannel channel_{test_key(), port_, clock_, pages_, GuestChannel::Options{}};
};

TEST_F(GuestChannelTest, SequenceNumbersAreOddForRequestsAndRiseByTwo) {
  for (std::uint64_t expected : {1U, 3U, 5U}) {
    const auto evidence = channel_.report(report_data(static_cast<std::uint8_t>(expected)), kNever);
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->report.report_data, report_data(static_cast<std::uint8_t>(expected)));
    GuestMessageHeader header;
    std::memcpy(&header, port_.requests.back().data(), sizeof header);
    EXPECT_EQ(header.seqno, expected);
    EXPECT_EQ(header.version, 1);
    EXPECT_EQ(header.type, 5);
  }
}

TEST_F(GuestChannelTest, BusyIsAnsweredWithTheSameCiphertext) {
  int calls = 0;
  port_.before = [&] { return GuestRequestExit{++calls < 4 ? kVmmBusy : 0, 0}; };
  ASSERT_TRUE(channel_.report(report_data(1), in(std::chrono::seconds(10))));
  ASSERT_EQ(port_.requests.size(), 4U);
  for (const Page& request : port_.requests) EXPECT_EQ(request, port_.requests.front());
  EXPECT_EQ(clock_.at.time_since_epoch(), 3 * GuestChannel::Options{}.busy_wait) << "it waited between the calls";
}

TEST_F(GuestChannelTest, BusyForeverEndsByTheDeadlineAndCostsTheKey) {
  port_.before = [] { return GuestRequestExit{kVmmBusy, 0}; };
  const Deadline until = in(std::chrono::seconds(2));
  const auto evidence = channel_.report(report_data(1), until);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::firmware_busy);
  EXPECT_LE(clock_.now(), until);
  EXPECT_EQ(channel_.report(report_data(2), kNever).error().code, Errc::vmpck_lost);
  for (const Page& request : port_.requests) EXPECT_EQ(request, port_.requests.front()) << "one plaintext per IV";
}

struct Case {
  const char* name;
  std::function<void(AnsweringPort&)> break_it;
  Errc code;
  const char* where;
  bool key_survives;
};
class GuestChannelRefuses : public GuestChannelTest, public testing::WithParamInterface<Case> {};
TEST_P(GuestChannelRefuses, OneThingWrong) {
  GetParam().break_it(port_);
  const auto evidence = channel_.report(report_data(1), kNever);
  ASSERT_FALSE(evidence);
  EXPECT_STREQ(error_name(evidence.error().code), error_name(GetParam().code));
  EXPECT_STREQ(evidence.error().where, GetParam().where);
  EXPECT_EQ(channel_.usable(), GetParam().key_survives);

  AnsweringPort honest;
  port_.before = honest.before;
  port_.change = honest.change;
  port_.spoil = honest.spoil;
  const auto again = channel_.report(report_data(2), kNever);
  if (GetParam().key_survives)
    EXPECT_TRUE(again);
  else
    EXPECT_EQ(again.error().code, Errc::vmpck_lost);
}
INSTANTIATE_TEST_SUITE_P(
    Table, GuestChannelRefuses,
    testing::Values(
        Case{"FirmwareInvalidParam", [](auto& p) { p.before = [] {
                                                     return GuestRequestExit{0, 0x16};
                                                   }; },
             Errc::firmware_refused, "SW_EXITINFO2", false},
        Case{"FirmwareAeadOverflow", [](auto& p) { p.before = [] {
                                                     return GuestRequestExit{0, 0x1d};
                                                   }; },
             Errc::firmware_refused, "SW_EXITINFO2", false},
        Case{"HypervisorInvalidLen", [](auto& p) { p.before = [] {
                                                     return GuestRequestExit{kVmmInvalidLen, 0};
                                                   }; },
             Errc::firmware_refused, "SW_EXITINFO2", false},
        Case{"PortGone",
             [](auto& p) { p.before = []() -> Result<GuestRequestExit> {
                             return Error{Errc::closed, "port"};
                           }; },
             Errc::firmware_unreachable, "port", false},
        Case{"PortSilent",
             [](auto& p) { p.before = []() -> Result<GuestRequestExit> {
                             return Error{Errc::deadline, "port"};
                           }; },
             Errc::firmware_unreachable, "port", false},
        Case{"ReplayOfRequestNumber", [](auto& p) { p.change = [](auto& a) { a.seqno -= 1; }; }, Errc::firmware_reply,
             "MSG_SEQNO", false},
        Case{"GapInNumbers", [](auto& p) { p.change = [](auto& a) { a.seqno += 2; }; }, Errc::firmware_reply,
             "MSG_SEQNO", false},
        Case{"OtherType", [](auto& p) { p.change = [](auto& a) { a.type = MsgType::key_rsp; }; }, Errc::firmware_reply,
             "MSG_TYPE", false},
        Case{"OwnRequestReflected", [](auto& p) { p.change = [](auto& a) { a.type = MsgType::report_req; }; },
             Errc::firmware_reply, "MSG_TYPE", false},
        Case{"OtherVersion", [](auto& p) { p.change = [](auto& a) { a.version = 2; }; }, Errc::firmware_reply,
             "MSG_VERSION", false},
        Case{"OtherVmpck", [](auto& p) { p.change = [](auto& a) { a.vmpck = 1; }; }, Errc::firmware_reply, "MSG_VMPCK",
             false},
        Case{"TagFlipped", [](auto& p) { p.spoil = [](Page& page) { page[0] ^= 1; }; }, Errc::firmware_reply,
             "message header AUTHTAG", false},
        Case{"PageOfZeros", [](auto& p) { p.spoil = [](Page& page) { page.fill(0); }; }, Errc::firmware_reply,
             "message header ALGO", false},
        Case{"PageOfOnes", [](auto& p) { p.spoil = [](Page& page) { page.fill(0xff); }; }, Errc::firmware_reply,
             "message header ALGO", false},
        Case{"WrongReportSize", [](auto& p) { p.change = [](auto& a) { a.payload.report_size = 1183; }; },
             Errc::firmware_reply, "MSG_REPORT_RSP.REPORT_SIZE", false},
        Case{"StatusInvalidParam", [](auto& p) { p.change = [](auto& a) { a.payload.status = 0x16; }; },
             Errc::firmware_status, "MSG_REPORT_RSP.STATUS", true},
        Case{"StatusInvalidKey", [](auto& p) { p.change = [](auto& a) { a.payload.status = 0x27; }; },
             Errc::firmware_status, "MSG_REPORT_RSP.STATUS", true}),
    [](const auto& row) { return row.param.name; });

TEST_F(GuestChannelTest, AReplyThatChangesAfterTheCopyIsNotLookedAtAgain) {
  // The evidence is a value: scribbling over the shared pages afterwards changes nothing.
  const auto evidence = channel_.report(report_data(9), kNever);
  ASSERT_TRUE(evidence);
  pages_.reply.fill(0xee);
  pages_.request.fill(0xee);
  EXPECT_EQ(evidence->report.report_data, report_data(9));
}

TEST(GuestChannel, WipesItsPages) {
  HandClock clock;
  AnsweringPort port;
  ChannelPages pages{};
  {
    GuestChannel channel(test_key(), port, clock, pages, {});
    ASSERT_TRUE(channel.report(report_data(5), kNever));
  }
  EXPECT_EQ(pages.scratch, Page{});
  EXPECT_EQ(pages.request, Page{});
}

TEST_F(GuestChannelTest, RelaysAPayloadThatIsNotItsBusiness) {
  port_.change = [](auto& answer) { answer.payload.status = 0x27; };
  const MsgReportReq asked{};
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&asked), sizeof asked);
  const auto relayed = channel_.relay({MsgType::report_req, 1, payload, 1216}, kNever);
  ASSERT_TRUE(relayed.payload);
  EXPECT_EQ(relayed.payload->size(), 1216U);
  EXPECT_EQ(relayed.payload->front(), 0x27) << "STATUS";
  EXPECT_FALSE(relayed.pages_needed);
  EXPECT_TRUE(channel_.usable());
}

TEST_F(GuestChannelTest, ARelayedReplyThatIsLargerThanItsRoomCostsTheKey) {
  const MsgReportReq asked{};
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&asked), sizeof asked);
  const auto relayed = channel_.relay({MsgType::report_req, 1, payload, 1215}, kNever);
  ASSERT_FALSE(relayed.payload);
  EXPECT_EQ(relayed.payload.error().code, Errc::firmware_reply);
  EXPECT_FALSE(channel_.usable());
}

TEST_F(GuestChannelTest, ARelayForCertificatesTakesAPortThatHasThem) {
  const auto relayed = channel_.relay({MsgType::report_req, 1, {}, 1216, MutBytes()}, kNever);
  ASSERT_FALSE(relayed.payload);
  EXPECT_EQ(relayed.payload.error().code, Errc::bad_config);
  EXPECT_TRUE(port_.requests.empty());
  EXPECT_TRUE(channel_.usable());
}

}  // namespace
}  // namespace attestbed::snp
