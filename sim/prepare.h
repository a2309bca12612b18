// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/failure.h"
#include "sim/hypervisor.h"
#include "sim/launch_config.h"
#include "sim/options.h"

namespace attestbed::sim {

/// prepare makes the launch configuration that serve, report and device share. A --product that is not the directory's
/// is bad_config.
Outcome<LaunchConfig> prepare(const MachineOptions& machine, const GuestOptions& guest);

/// prepare_host makes the host that serve and device share, with the certificates of `machine`.
Outcome<HostConfig> prepare_host(const HostOptions& options, const Machine& machine);

/// fail prints "<program>: <text>" and returns the exit status that belongs to the code.
int fail(const Failure& failure, const char* program = "snp-sim");

}  // namespace attestbed::sim
