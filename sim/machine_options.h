// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

#include "sim/options.h"

namespace attestbed::sim {

// The options that more than one command or program has. `app` must not outlive `into`.

void add_machine(CLI::App* app, MachineOptions& into);
void add_guest(CLI::App* app, GuestOptions& into);
void add_host(CLI::App* app, HostOptions& into);
void add_report_version(CLI::App* app, const char* name, MachineOptions& into);

/// add_device adds all that `snp-sim device` and snp-sim-device have in common, which is everything.
void add_device(CLI::App* app, DeviceOptions& into);

/// device_name_ok says whether a device may have this name: 1 to 32 of A-Z a-z 0-9 _ -.
bool device_name_ok(std::string_view name);

}  // namespace attestbed::sim
