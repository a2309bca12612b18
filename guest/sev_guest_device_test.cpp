// SPDX-License-Identifier: Apache-2.0
#include "guest/sev_guest_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "sim/firmware.h"
#include "sim/make_report.h"
#include "sim/manual_clock.h"
#include "sim/seeded_entropy.h"

namespace attestbed::guest {
namespace {

/// Kernel is the driver as its source (sev-guest.c) describes it, over simulated firmware: it checks what it is handed,
/// answers with a real report, and ends a call as a test says.
class Kernel final : public SevGuestPort {
 public:
  /// Outcome is how a call ends: errno and, unless that is 0, exitinfo2 (zero: left as the caller preset it).
  struct Outcome {
    int error = 0;
    std::uint64_t exitinfo2 = 0;
  };

  explicit Kernel(sim::ManualClock& clock) : clock_(clock) {}

  int call(unsigned long request, snp_guest_request_ioctl& argument) override {
    requests.push_back(request);
    EXPECT_EQ(argument.msg_version, 1);
    EXPECT_EQ(argument.exitinfo2, 0xffU) << "preset: the firmware was not called";
    clock_.advance(takes);
    const auto* question = reinterpret_cast<const snp_report_req*>(argument.req_data);
    const bool extended = request == SNP_GET_EXT_REPORT;
    EXPECT_TRUE(extended || request == SNP_GET_REPORT);
    EXPECT_TRUE(std::ranges::all_of(question->rsvd, [](auto octet) { return octet == 0; }));

    const Outcome outcome = requests.size() <= outcomes.size() ? outcomes[requests.size() - 1] : Outcome{};
    if (outcome.error != 0) {
      if (outcome.exitinfo2 != 0) argument.exitinfo2 = outcome.exitinfo2;
      return outcome.error;
    }
    if (extended) write_certs(*reinterpret_cast<const snp_ext_report_req*>(argument.req_data));
    if (silent) return 0;
    write_report(*question, *reinterpret_cast<snp_report_resp*>(argument.resp_data));
    return 0;
  }

  static const sim::Machine& machine() {
    static const sim::Machine instance = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(
        *sim::CertificateAuthority::of_default_seed(snp::Product::milan)));
    return instance;
  }

  std::vector<Outcome> outcomes;  // of the calls, in order; after the last, success
  std::vector<std::uint8_t> table;
  std::function<void(snp::MsgReportRsp&)> change = [](auto&) {};
  bool silent = false;  // success, and nothing written
  std::chrono::nanoseconds takes{0};
  std::vector<unsigned long> requests;

 private:
  static const sim::GuestContext& context() {
    static const sim::GuestContext instance = [] {
      sim::SeededEntropy entropy(1, "sev-guest device test");
      auto launch = sim::Launch::start(machine(), sim::kDefaultPolicy, entropy);
      if (!launch || !launch->update({sim::PageType::zero, 0x1000, {}, {}})) throw std::runtime_error("launch");
      return (*std::move(launch)).finish(sim::HostData{1, 2, 3});
    }();
    return instance;
  }
  void write_certs(const snp_ext_report_req& question) {
    ASSERT_EQ(question.certs_len, 0x4000U);
    ASSERT_NE(question.certs_address, 0U);
    ASSERT_LE(table.size(), question.certs_len);
    // data() of no octets may be null, which memcpy must not see.
    if (!table.empty()) std::memcpy(reinterpret_cast<void*>(question.certs_address), table.data(), table.size());
  }
  void write_report(const snp_report_req& question, snp_report_resp& response) {
    snp::ReportData report_data;
    std::memcpy(report_data.data(), question.user_data, report_data.size());
    snp::MsgReportRsp answer{};
    answer.report_size = snp::kReportBytes;
    answer.report = *sim::make_report(machine(), context(), {.vmpl = question.vmpl, .report_data = report_data});
    change(answer);
    std::memcpy(response.data, &answer, sizeof answer);
  }

  sim::ManualClock& clock_;
};

/// Table is a certificate table as a host gives it.
class Table {
 public:
  Table& entry(std::uint32_t offset, std::uint32_t length) {
    octets_.insert(octets_.end(), 16, static_cast<std::uint8_t>(0x5a + octets_.size() / 24));
    for (const std::uint32_t value : {offset, length}) {
      for (int shift = 0; shift < 32; shift += 8) octets_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  Table& end() {
    octets_.insert(octets_.end(), 24, 0);
    return *this;
  }
  Table& data(std::size_t octets) {
    octets_.insert(octets_.end(), octets, 0x30);
    return *this;
  }
  std::vector<std::uint8_t> octets() const { return octets_; }

 private:
  std::vector<std::uint8_t> octets_;
};

class SevGuestDeviceTest : public testing::Test {
 protected:
  Result<Evidence> report(std::uint32_t vmpl = 0) {
    SevGuestDevice device(kernel_, clock_, *pages_, vmpl);
    return device.report(kReportData, clock_.now() + std::chrono::seconds(60));
  }
  static constexpr snp::ReportData kReportData{0xab, 0xcd, 0xef};
  sim::ManualClock clock_;
  Kernel kernel_{clock_};
  std::unique_ptr<SevGuestPages> pages_ = std::make_unique<SevGuestPages>();
};

TEST_F(SevGuestDeviceTest, ReturnsTheFirmwaresReport) {
  const auto evidence = report();
  ASSERT_TRUE(evidence) << error_name(evidence.error().code);
  EXPECT_EQ(evidence->report.report_data, kReportData);
  EXPECT_EQ(evidence->report.vmpl, 0U);
  EXPECT_TRUE(snp::parse_report(snp::octets_of(evidence->report)));
  EXPECT_TRUE(evidence->certs.empty()) << "a host without certificates writes an empty table";
  EXPECT_EQ(kernel_.requests, (std::vector<unsigned long>{SNP_GET_EXT_REPORT}));
}

TEST_F(SevGuestDeviceTest, AsksForItsVmpl) {
  const auto evidence = report(2);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->report.vmpl, 2U);
}

TEST_F(SevGuestDeviceTest, HandsTheHostsCertificatesOnWithoutPadding) {
  kernel_.table = Table().entry(72, 100).entry(172, 5).end().data(105).octets();
  auto padded = kernel_.table;
  padded.resize(0x4000);
  kernel_.table.swap(padded);
  const auto evidence = report();
  ASSERT_TRUE(evidence);
  EXPECT_EQ(std::vector(evidence->certs.begin(), evidence->certs.end()), padded);
}

TEST_F(SevGuestDeviceTest, AsksAgainWithoutRoomForCertificatesThatNeedMore) {
  kernel_.outcomes = {{EIO, 1ULL << 32}};
  const auto evidence = report();
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(evidence->certs.empty());
  EXPECT_EQ(kernel_.requests, (std::vector<unsigned long>{SNP_GET_EXT_REPORT, SNP_GET_REPORT}));
}

TEST_F(SevGuestDeviceTest, DropsATableThatIsNotWellFormed) {
  for (const auto& table : {Table().entry(72, 4).entry(72, 4).end().data(4).octets(), Table().entry(24, 4).octets(),
                            Table().entry(48, 5).end().data(0x4000 - 48).octets()}) {
    kernel_.table = table;
    const auto evidence = report();
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->certs.empty(), table.size() < 0x4000);
  }
}

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

TEST_F(SevGuestDeviceTest, AsksNothingAfterTheDeadline) {
  SevGuestDevice device(kernel_, clock_, *pages_, 0);
  const auto evidence = device.report(kReportData, clock_.now());
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::deadline);
  EXPECT_TRUE(kernel_.requests.empty());
}

TEST_F(SevGuestDeviceTest, AReportThatCameTooLateIsDropped) {
  kernel_.takes = std::chrono::seconds(61);
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::deadline);

  kernel_.outcomes = {{}, {EIO, 1ULL << 32}};
  const auto second = report();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::deadline);
  EXPECT_EQ(kernel_.requests.size(), 2U) << "no plain request after the deadline";
}

TEST(SevGuestFile, ThatIsAbsentIsNamed) {
  const auto file = SevGuestFile::open("/nonexistent/sev-guest");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::firmware_unreachable);
  EXPECT_EQ(file.error().found, static_cast<std::uint64_t>(ENOENT));
  EXPECT_NE(std::string_view(file.error().where).find("module sev-guest"), std::string_view::npos);
}

TEST(SevGuestFile, ThatIsAnotherDeviceHasNoKey) {
  auto file = SevGuestFile::open("/dev/null");
  ASSERT_TRUE(file);
  sim::ManualClock clock;
  const auto pages = std::make_unique<SevGuestPages>();
  SevGuestDevice device(*file, clock, *pages, 0);
  const auto evidence = device.report({}, kNever);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::vmpck_lost);
}

}  // namespace
}  // namespace attestbed::guest
