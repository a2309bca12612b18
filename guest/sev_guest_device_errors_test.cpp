// SPDX-License-Identifier: Apache-2.0
#include "guest/sev_guest_device.h"

#include <gtest/gtest.h>

#include "guest/sev_guest_fixture.h"

// What ends a request, and what a reply may not be.
namespace attestbed::guest {
namespace {

struct Failure {
  const char* name;
  Kernel::Outcome outcome;
  Errc code;
  std::uint64_t found;
};
class SevGuestDeviceErrors : public SevGuestDeviceTest, public testing::WithParamInterface<Failure> {};
TEST_P(SevGuestDeviceErrors, AreNamedWhicheverRequestTheyEnd) {
  const Failure& row = GetParam();
  for (const bool plain : {false, true}) {
    kernel_.requests.clear();
    kernel_.outcomes = {row.outcome};
    if (plain) kernel_.outcomes.insert(kernel_.outcomes.begin(), {EIO, 1ULL << 32});
    const auto evidence = report();
    ASSERT_FALSE(evidence);
    EXPECT_STREQ(error_name(evidence.error().code), error_name(row.code));
    EXPECT_EQ(evidence.error().found, row.found);
    EXPECT_EQ(kernel_.requests.size(), plain ? 2U : 1U) << "a request after a failure";
    EXPECT_EQ(error_row(evidence.error().code).guest_exit, 4);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, SevGuestDeviceErrors,
    testing::Values(Failure{"FirmwareStatus", {EIO, 0x16}, Errc::firmware_refused, 0x16},
                    Failure{
                        "HypervisorGeneric", {EIO, 0xffffffffULL << 32}, Errc::firmware_refused, 0xffffffffULL << 32},
                    Failure{"Busy", {EIO, 2ULL << 32}, Errc::firmware_busy, 2},
                    Failure{"BusyForAMinute", {ETIMEDOUT, 2ULL << 32}, Errc::firmware_busy, 2},
                    Failure{"TimedOut", {ETIMEDOUT, 0}, Errc::firmware_busy, 2},
                    Failure{"NotCalled", {EIO, 0}, Errc::firmware_unreachable, EIO},
                    Failure{"NoFirmwareCall", {EIO, 0xffffffff}, Errc::firmware_unreachable, EIO},
                    Failure{"KeyWiped", {ENOTTY, 0}, Errc::vmpck_lost, 0},
                    Failure{"Invalid", {EINVAL, 0}, Errc::firmware_unreachable, EINVAL},
                    Failure{"Interrupted", {EINTR, 0}, Errc::firmware_unreachable, EINTR},
                    Failure{"BadMessage", {EBADMSG, 0}, Errc::firmware_reply, EBADMSG},
                    Failure{"NoMemory", {ENOMEM, 0}, Errc::firmware_unreachable, ENOMEM}),
    [](const auto& row) { return row.param.name; });

TEST_F(SevGuestDeviceTest, NoRoomWithoutCertificatesIsARefusal) {
  kernel_.outcomes = {{EIO, 1ULL << 32}, {EIO, 1ULL << 32}};
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::firmware_refused);
  EXPECT_EQ(kernel_.requests.size(), 2U) << "two requests at most";
}

struct Reply {
  const char* name;
  std::function<void(Kernel&)> change;
  Errc code;
  std::uint64_t found;
};
class SevGuestDeviceReplies : public SevGuestDeviceTest, public testing::WithParamInterface<Reply> {};
TEST_P(SevGuestDeviceReplies, AreJudged) {
  ASSERT_TRUE(report()) << "leaves a good answer in the pages";
  GetParam().change(kernel_);
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_STREQ(error_name(evidence.error().code), error_name(GetParam().code));
  EXPECT_EQ(evidence.error().found, GetParam().found);
}
void change(Kernel& kernel, std::function<void(snp::MsgReportRsp&)> how) {
  kernel.change = std::move(how);
}
INSTANTIATE_TEST_SUITE_P(
    Table, SevGuestDeviceReplies,
    testing::Values(Reply{"Status", [](Kernel& k) { change(k, [](auto& rsp) { rsp.status = 0x16; }); },
                          Errc::firmware_status, 0x16},
                    Reply{"NoKey", [](Kernel& k) { change(k, [](auto& rsp) { rsp.status = 0x27; }); },
                          Errc::firmware_status, 0x27},
                    Reply{"SizeBelow", [](Kernel& k) { change(k, [](auto& rsp) { rsp.report_size = 1183; }); },
                          Errc::firmware_reply, 1183},
                    Reply{"SizeAbove", [](Kernel& k) { change(k, [](auto& rsp) { rsp.report_size = 1185; }); },
                          Errc::firmware_reply, 1185},
                    Reply{"NothingWritten", [](Kernel& k) { k.silent = true; }, Errc::firmware_reply, 0}),
    [](const auto& row) { return row.param.name; });

TEST_F(SevGuestDeviceTest, ReservedOctetsOfTheReplyMustBeZero) {
  kernel_.change = [](auto& rsp) { rsp.reserved[23] = 1; };
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::firmware_reply);
}

}  // namespace
}  // namespace attestbed::guest
