// SPDX-License-Identifier: Apache-2.0
#include "guest/recording_reports.h"

#include <gtest/gtest.h>

namespace attestbed::guest {
namespace {

/// Echo is firmware that signs nothing and answers once.
class Echo final : public ReportProvider {
 public:
  Result<Evidence> report(const snp::ReportData& report_data, Deadline) override {
    if (asked_) return Error{Errc::vmpck_lost, "Echo"};
    asked_ = true;
    Evidence evidence{};
    evidence.report.version = 3;
    evidence.report.report_data = report_data;
    return evidence;
  }

 private:
  bool asked_ = false;
};

TEST(RecordingReports, HoldsTheReportThatWentThrough) {
  Echo echo;
  RecordingReports reports(echo);
  EXPECT_FALSE(reports.last());
  const Result<Evidence> evidence = reports.report(snp::ReportData{7}, kNever);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->report.report_data, snp::ReportData{7});
  ASSERT_TRUE(reports.last());
  EXPECT_EQ(reports.last()->report_data, snp::ReportData{7});
}

TEST(RecordingReports, AFailureLeavesNoOlderReportBehind) {
  Echo echo;
  RecordingReports reports(echo);
  ASSERT_TRUE(reports.report(snp::ReportData{7}, kNever));
  const Result<Evidence> second = reports.report(snp::ReportData{8}, kNever);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::vmpck_lost);
  EXPECT_FALSE(reports.last());
}

}  // namespace
}  // namespace attestbed::guest
