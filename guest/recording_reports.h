// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/platform/report_provider.h"

namespace attestbed::guest {

/// RecordingReports passes requests on and remembers the last report, so that it can be kept for people.
class RecordingReports final : public ReportProvider {
 public:
  explicit RecordingReports(ReportProvider& reports) : reports_(reports) {}

  Result<Evidence> report(const snp::ReportData& report_data, Deadline until) override {
    last_.reset();
    Evidence evidence = TRY(reports_.report(report_data, until));
    last_ = evidence.report;
    return evidence;
  }
  const std::optional<snp::RawReport>& last() const { return last_; }

 private:
  ReportProvider& reports_;
  std::optional<snp::RawReport> last_;
};

}  // namespace attestbed::guest
