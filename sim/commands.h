// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/launch_config.h"
#include "sim/options.h"

namespace attestbed::sim {

// The subcommands of snp-sim. Each prints its own error in one line and returns the exit status of the program:
// 0 done, 1 the firmware refused, 2 configuration, 3 could not run.
int run_serve(const ServeOptions& options);
int run_certs(const CertsOptions& options);
int run_report(const ReportOptions& options);
int run_measurement(const MeasurementOptions& options);

/// print_banner says on standard error that nothing here is real.
void print_banner();

/// prepare makes the launch configuration that serve and report share. A --product that is not the directory's is
/// bad_config.
Outcome<LaunchConfig> prepare(const MachineOptions& machine, const GuestOptions& guest);

/// fail prints "snp-sim: <text>" and returns the exit status that belongs to the code.
int fail(const Failure& failure);

}  // namespace attestbed::sim
