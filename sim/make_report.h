// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/launch.h"

namespace attestbed::sim {

/// ReportRequest is what a guest's MSG_REPORT_REQ comes down to once the firmware has judged it.
///   key  the key that KEY_SEL resolved to; none makes the unsigned report of a machine that masks its chip key
struct ReportRequest {
  std::uint32_t vmpl = 0;
  snp::ReportData report_data{};
  snp::SigningKey key = snp::SigningKey::vcek;
};

/// make_report fills in and signs an attestation report of the machine's report version.
///   errors  tcb_order if the machine's TCBs are out of order, bad_config for a key that the machine does not have or
///           may not use, internal
///   spec    56860 ATTESTATION_REPORT
Result<snp::RawReport> make_report(const Machine& machine, const GuestContext& guest, const ReportRequest& request);

}  // namespace attestbed::sim
