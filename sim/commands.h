// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/options.h"
#include "sim/prepare.h"

namespace attestbed::sim {

// The subcommands of snp-sim. Each prints its own error in one line and returns the exit status of the program:
// 0 done, 1 the firmware refused, 2 configuration, 3 could not run.
int run_serve(const ServeOptions& options);
int run_certs(const CertsOptions& options);
int run_report(const ReportOptions& options);
int run_reports(const ReportsOptions& options);
int run_measurement(const MeasurementOptions& options);
int run_firmware(const FirmwareOptions& options);
int run_id_block(const IdBlockOptions& options);
int run_kds(const KdsOptions& options);                                         // sim/kds/
int run_device(const DeviceOptions& options, const char* program = "snp-sim");  // sim/device/

/// write_public_file makes or replaces a file that everybody may read. Errors: io_failed.
Outcome<void> write_public_file(const std::string& path, Bytes octets);

}  // namespace attestbed::sim
