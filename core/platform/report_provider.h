// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/platform/clock.h"
#include "core/snp/report.h"

namespace attestbed {

/// Evidence is a report and, where the host gave one, the certificate table beside it.
///   certs  a view into the provider's memory, valid until its next call; empty = none
struct Evidence {
  snp::RawReport report;
  Bytes certs;
};

/// ReportProvider has the SNP firmware make a report for VMPL 0 over `report_data`.
/// Errors are the firmware_* codes, vmpck_lost and deadline.
class ReportProvider {
 public:
  virtual Result<Evidence> report(const snp::ReportData& report_data, Deadline until) = 0;

 protected:
  ~ReportProvider() = default;
};

}  // namespace attestbed
