// SPDX-License-Identifier: Apache-2.0
#include "guest/sev_guest_device.h"

#include <gtest/gtest.h>

#include "guest/sev_guest_fixture.h"

namespace attestbed::guest {
namespace {

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
