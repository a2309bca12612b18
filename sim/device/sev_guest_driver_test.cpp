// SPDX-License-Identifier: Apache-2.0
#include "sim/device/sev_guest_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "sim/device/driver_fixture.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;
using Answer = SevGuestDriver::Answer;

constexpr std::uint32_t kRequests[] = {SNP_GET_REPORT, SNP_GET_DERIVED_KEY, SNP_GET_EXT_REPORT};

snp_guest_request_ioctl argument(std::uint8_t version = 1) {
  snp_guest_request_ioctl out{};
  out.msg_version = version;
  out.req_data = 0x1000;
  out.resp_data = 0x2000;
  return out;
}

snp_report_req report_question(std::uint32_t vmpl = 0) {
  snp_report_req out{};
  for (std::size_t i = 0; i < sizeof out.user_data; ++i) out.user_data[i] = static_cast<std::uint8_t>(0xa0 + i);
  out.vmpl = vmpl;
  return out;
}

snp_ext_report_req room_for(std::uint32_t octets, std::uint64_t address = 0x10000) {
  snp_ext_report_req out{};
  out.data = report_question();
  out.certs_address = address;
  out.certs_len = octets;
  return out;
}

Answer get_report(DriverUnderTest& under, const snp_report_req& question = report_question()) {
  return under.driver->call(SNP_GET_REPORT, argument(), octets(question));
}
Answer get_extended(DriverUnderTest& under, const snp_ext_report_req& question) {
  return under.driver->call(SNP_GET_EXT_REPORT, argument(), octets(question));
}

TEST(SevGuestDriver, HasTheFirmwareMakeAReport) {
  DriverUnderTest under;
  const Answer answer = get_report(under, report_question(2));
  ASSERT_EQ(answer.error, 0);
  EXPECT_EQ(answer.exitinfo2, 0U) << "the caller's stays";
  ASSERT_EQ(answer.response.size(), 4000U);
  const auto report = snp::parse_report_rsp(answer.response.first(1216));
  ASSERT_TRUE(report);
  EXPECT_TRUE(std::ranges::equal(report->report_data, report_question().user_data));
  EXPECT_EQ(report->vmpl, 2U);
  EXPECT_TRUE(std::ranges::all_of(answer.response.subspan(1216), [](auto octet) { return octet == 0; }));
  EXPECT_TRUE(answer.certs.empty());
  EXPECT_EQ(under.port.extended, 0);
  EXPECT_EQ(get_report(under).error, 0) << "the second message of one key";
}

TEST(SevGuestDriver, UsesItsVmpckAndNoOther) {
  DriverUnderTest under({}, 2);
  const Answer low = get_report(under, report_question(1));
  ASSERT_EQ(low.error, 0);
  EXPECT_EQ(low.response[0], 0x16) << "below the VMPCK's VMPL";
  EXPECT_EQ(under.port.requests.at(0)[0x3c], 2) << "MSG_VMPCK";
  const Answer own = get_report(under, report_question(2));
  ASSERT_EQ(own.error, 0);
  EXPECT_EQ(own.response[0], 0);
}

TEST(SevGuestDriver, HandsOnAStatusInsideTheMessage) {
  DriverUnderTest under;
  snp_report_req question = report_question();
  question.rsvd[0] = 3;  // KEY_SEL, which has no such value
  const Answer answer = get_report(under, question);
  EXPECT_EQ(answer.error, 0);
  EXPECT_EQ(answer.exitinfo2, 0U);
  ASSERT_EQ(answer.response.size(), 4000U);
  EXPECT_EQ(answer.response[0], 0x27);
  EXPECT_EQ(get_report(under).response[0], 0) << "it costs nothing";
}

std::vector<std::uint8_t> derived(DriverUnderTest& under, std::uint32_t vmpl) {
  snp_derived_key_req question{};
  question.vmpl = vmpl;
  const Answer answer = under.driver->call(SNP_GET_DERIVED_KEY, argument(), octets(question));
  EXPECT_EQ(answer.error, 0);
  EXPECT_EQ(answer.response.size(), 64U);
  EXPECT_TRUE(std::ranges::all_of(answer.response.first(32), [](auto octet) { return octet == 0; })) << "STATUS";
  return {answer.response.begin() + 32, answer.response.end()};
}

TEST(SevGuestDriver, HasTheFirmwareDeriveKeys) {
  DriverUnderTest under;
  const auto key = derived(under, 1);
  EXPECT_NE(key, std::vector<std::uint8_t>(32));
  EXPECT_EQ(derived(under, 1), key);
  EXPECT_NE(derived(under, 2), key);
}

TEST(SevGuestDriver, ForgetsTheLastKey) {
  DriverUnderTest under;
  snp_derived_key_req question{};
  const Bytes response = under.driver->call(SNP_GET_DERIVED_KEY, argument(), octets(question)).response;
  ASSERT_FALSE(std::ranges::all_of(response, [](auto octet) { return octet == 0; }));
  under.driver->forget();
  EXPECT_TRUE(std::ranges::all_of(response, [](auto octet) { return octet == 0; }));
}

struct Refusal {
  const char* name;
  std::uint32_t request;
  snp_guest_request_ioctl argument;
  std::size_t octets;  // of the question
  int error;
  std::uint64_t exitinfo2;
};
snp_guest_request_ioctl without(__u64 snp_guest_request_ioctl::*pointer) {
  snp_guest_request_ioctl out = argument();
  out.*pointer = 0;
  return out;
}
class SevGuestDriverRefusals : public testing::TestWithParam<Refusal> {};
TEST_P(SevGuestDriverRefusals, CostNothing) {
  DriverUnderTest under;
  const std::vector<std::uint8_t> question(GetParam().octets);
  const Answer answer = under.driver->call(GetParam().request, GetParam().argument, question);
  EXPECT_EQ(answer.error, GetParam().error);
  EXPECT_EQ(answer.exitinfo2, GetParam().exitinfo2);
  EXPECT_TRUE(answer.response.empty());
  EXPECT_TRUE(under.port.requests.empty());
  EXPECT_EQ(get_report(under).error, 0);
}
INSTANTIATE_TEST_SUITE_P(Table, SevGuestDriverRefusals,
                         testing::Values(Refusal{"NoVersion", SNP_GET_REPORT, argument(0), 96, EINVAL, 0},
                                         Refusal{"NoVersionOfAnUnknownRequest", 0xc0205303, argument(0), 0, EINVAL, 0},
                                         Refusal{"UnknownRequest", 0xc0205303, argument(), 0, ENOTTY, 0xff},
                                         Refusal{"OtherSize", 0xc0215300, argument(), 96, ENOTTY, 0xff},
                                         Refusal{"NoQuestion", SNP_GET_REPORT,
                                                 without(&snp_guest_request_ioctl::req_data), 96, EINVAL, 0xff},
                                         Refusal{"NoResponse", SNP_GET_DERIVED_KEY,
                                                 without(&snp_guest_request_ioctl::resp_data), 32, EINVAL, 0xff},
                                         Refusal{"ShortQuestion", SNP_GET_REPORT, argument(), 95, EFAULT, 0xff}),
                         [](const auto& row) { return row.param.name; });

struct Room {
  const char* name;
  std::uint32_t octets;
  std::uint64_t address;
  int error;
};
class SevGuestDriverRooms : public testing::TestWithParam<Room> {};
TEST_P(SevGuestDriverRooms, AreWholePagesOfTheCaller) {
  DriverUnderTest under;
  const Answer answer = get_extended(under, room_for(GetParam().octets, GetParam().address));
  EXPECT_EQ(answer.error, GetParam().error);
  EXPECT_EQ(answer.exitinfo2, GetParam().error == 0 ? 0U : 0xffU);
  EXPECT_EQ(under.port.requests.size(), GetParam().error == 0 ? 1U : 0U);
}
INSTANTIATE_TEST_SUITE_P(
    Table, SevGuestDriverRooms,
    testing::Values(Room{"None", 0, 0x10000, 0}, Room{"Nowhere", 4095, 0, 0}, Room{"OnePage", 0x1000, 0x10001, 0},
                    Room{"Most", 0x4000, 0x10000, 0}, Room{"More", 0x5000, 0x10000, EINVAL},
                    Room{"PartOfAPage", 0xfff, 0x10000, EINVAL}, Room{"Everything", 0xfffff000, 0x10000, EINVAL},
                    Room{"InTheKernel", 0x1000, 1ULL << 63, EFAULT},
                    Room{"IntoTheKernel", 0x1000, (1ULL << 63) - 0xfff, EFAULT},
                    Room{"UpToTheKernel", 0x1000, (1ULL << 63) - 0x1000, 0}, Room{"Wrapping", 0x1000, ~0ULL, EFAULT}),
    [](const auto& row) { return row.param.name; });

const std::vector<std::uint8_t> kTable(5000, 0x5c);

TEST(SevGuestDriver, HandsTheHostsCertificatesOn) {
  DriverUnderTest under({.certificates = kTable});
  const Answer answer = get_extended(under, room_for(0x4000));
  ASSERT_EQ(answer.error, 0);
  ASSERT_EQ(answer.certs.size(), 0x4000U);
  EXPECT_TRUE(std::ranges::equal(answer.certs.first(5000), kTable));
  EXPECT_TRUE(std::ranges::all_of(answer.certs.subspan(5000), [](auto octet) { return octet == 0; }));
  EXPECT_TRUE(snp::parse_report_rsp(answer.response.first(1216)));
  EXPECT_FALSE(answer.certs_len);
}

TEST(SevGuestDriver, SaysHowMuchRoomCertificatesNeed) {
  DriverUnderTest under({.certificates = kTable});
  for (const std::uint32_t room : {0U, 0x1000U}) {
    under.port.requests.clear();
    const Answer answer = get_extended(under, room_for(room));
    EXPECT_EQ(answer.error, EIO);
    EXPECT_EQ(answer.exitinfo2, 1ULL << 32);
    EXPECT_EQ(answer.certs_len, 8192U) << "whole pages";
    EXPECT_TRUE(answer.response.empty());
    ASSERT_EQ(under.port.requests.size(), 2U) << "again as a plain request, so that the counters stay in step";
    EXPECT_EQ(under.port.requests[0], under.port.requests[1]) << "one plaintext for each number";
  }
  EXPECT_EQ(get_extended(under, room_for(0x2000)).error, 0) << "the key is alive";
}

TEST(SevGuestDriver, GivesNoCallerTheCertificatesOfTheLast) {
  DriverUnderTest under({.certificates = kTable});
  ASSERT_EQ(get_extended(under, room_for(0x4000)).certs[0], 0x5c);
  DriverUnderTest bare;
  const Answer answer = get_extended(bare, room_for(0x4000));
  ASSERT_EQ(answer.error, 0);
  EXPECT_TRUE(std::ranges::all_of(answer.certs, [](auto octet) { return octet == 0; }));
}

struct HostFault {
  const char* name;
  Fault fault;
  int error;
  std::uint64_t exitinfo2;
  std::chrono::seconds took{0};
};
class SevGuestDriverFaults : public testing::TestWithParam<HostFault> {};
TEST_P(SevGuestDriverFaults, CostTheKey) {
  const HostFault& row = GetParam();
  DriverUnderTest under({.faults = {row.fault}});
  ASSERT_EQ(get_report(under).error, 0);
  const Instant before = under.clock.now();
  const Answer answer = get_report(under);
  EXPECT_EQ(answer.error, row.error);
  EXPECT_EQ(answer.exitinfo2, row.exitinfo2);
  EXPECT_TRUE(answer.response.empty());
  EXPECT_EQ(under.clock.now() - before, row.took);
  for (std::size_t i = 2; i < under.port.requests.size(); ++i) {
    EXPECT_EQ(under.port.requests[i], under.port.requests[1]) << "a BUSY host gets the identical page";
  }
  const std::size_t sent = under.port.requests.size();
  for (const std::uint32_t request : kRequests) {
    const std::vector<std::uint8_t> question(copies_of(request)->question);
    const Answer after = under.driver->call(request, argument(), question);
    EXPECT_EQ(after.error, ENOTTY);
    EXPECT_EQ(after.exitinfo2, 0U) << "the caller's stays";
  }
  EXPECT_EQ(under.port.requests.size(), sent) << "nothing is sent without a key";
}
INSTANTIATE_TEST_SUITE_P(
    Table, SevGuestDriverFaults,
    testing::Values(HostFault{"FirmwareStatus", {2, false, FaultKind::firmware_status, 0x16}, EIO, 0x16},
                    HostFault{"Busy", {2, true, FaultKind::busy, {}}, ETIMEDOUT, 2ULL << 32, 60s},
                    HostFault{"InvalidLength", {2, false, FaultKind::invalid_len, 2}, EIO, 1ULL << 32},
                    HostFault{"Silence", {2, false, FaultKind::silence, {}}, EIO, ~0ULL, 62s},
                    HostFault{"ReplayedRequest", {2, false, FaultKind::replay, {}}, EIO, 0x1d},
                    HostFault{"ReplayedReply", {2, false, FaultKind::wrong_page, {}}, EBADMSG, 0},
                    HostFault{"FlippedBit", {2, false, FaultKind::flip_bit, 8 * 0x60}, EBADMSG, 0}),
    [](const auto& row) { return row.param.name; });

TEST(SevGuestDriver, BearsABusyHostForAMinute) {
  FaultPlan faults;
  for (std::uint64_t call = 1; call <= 30; ++call) faults.push_back({call, false, FaultKind::busy, {}});
  DriverUnderTest under({.faults = faults});
  const Instant before = under.clock.now();
  EXPECT_EQ(get_report(under).error, 0);
  EXPECT_EQ(under.clock.now() - before, 60s);
  EXPECT_EQ(under.port.requests.size(), 31U);
}

TEST(SevGuestDriver, NamesAHypervisorThatRefuses) {
  DriverUnderTest under;
  under.port.instead = snp::GuestRequestExit{0xffffffff, 0};  // KVM: generic
  const Answer answer = get_extended(under, room_for(0x4000));
  EXPECT_EQ(answer.error, EIO);
  EXPECT_EQ(answer.exitinfo2, 0xffffffffULL << 32);
}

TEST(SevGuestDriver, HandsTheMessageVersionOn) {
  DriverUnderTest under;
  const Answer answer = under.driver->call(SNP_GET_REPORT, argument(2), octets(report_question()));
  EXPECT_EQ(under.port.requests.at(0)[0x35], 2) << "MSG_VERSION";
  EXPECT_EQ(answer.error, EIO);
  EXPECT_EQ(answer.exitinfo2, 0x16U) << "the firmware knows no version 2 of MSG_REPORT_REQ";
}

TEST(SevGuestDriver, TellsOfInvalidLengthEvenIfThePlainRequestFails) {
  DriverUnderTest busy({.faults = {{2, true, FaultKind::busy, {}}}, .certificates = kTable});
  const Answer late = get_extended(busy, room_for(0));
  EXPECT_EQ(late.error, ETIMEDOUT);
  EXPECT_EQ(late.exitinfo2, 1ULL << 32);
  EXPECT_EQ(late.certs_len, 8192U);
  DriverUnderTest refused({.faults = {{2, false, FaultKind::firmware_status, 0x16}}, .certificates = kTable});
  const Answer answer = get_extended(refused, room_for(0));
  EXPECT_EQ(answer.error, EIO);
  EXPECT_EQ(answer.exitinfo2, 1ULL << 32);
  EXPECT_EQ(get_report(refused).error, ENOTTY);
}

}  // namespace
}  // namespace attestbed::sim
