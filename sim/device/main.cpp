// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include <iostream>

#include "core/posix/hardening.h"
#include "sim/commands.h"
#include "sim/machine_options.h"

namespace {

constexpr char kProgram[] = "snp-sim-device";

}  // namespace

/// snp-sim-device is `snp-sim device` as one file without libraries, small enough for an initramfs.
int main(int argc, char** argv) {
  using namespace attestbed::sim;
  // No environment variable changes what this program does, nor what the libraries under it do.
  clearenv();
  CLI::App app("Be the driver of /dev/sev-guest inside a virtual machine. Simulation: it protects nothing.", kProgram);
  app.set_version_flag("--version", std::string(kProgram) + " " + ATTESTBED_VERSION);
  DeviceOptions options;
  add_device(&app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << kProgram << ": " << error.what() << " (see " << kProgram << " --help)\n";
    return 2;
  }
  if (const auto hardened = attestbed::posix::forbid_core_dumps(); !hardened) {
    return fail(failure_at("cannot start", hardened.error()), kProgram);
  }
  return run_device(options, kProgram);
}
