// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "core/posix/describe.h"
#include "core/posix/hardening.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/subcommands.h"

namespace {

constexpr char kFooter[] =
    "Examples:\n"
    "  attestbed run --show-secret\n"
    "  attestbed show report.bin\n"
    "  attestbed measure --ovmf OVMF.fd --vcpus 4\n"
    "  attestbed verify report.bin --certs vcek.der\n"
    "  attestbed verify report.bin --certs certs/ --at 2025-10-01T00:00:00Z --json\n"
    "  attestbed explain report.bin --certs certs/ --policy strict.toml\n"
    "  attestbed doctor\n"
    "\n"
    "Exit codes: 0 ok, 1 refused, 2 usage, 3 could not run.\n";

int run(int argc, char** argv) {
  using namespace attestbed::tools;
  if (const auto hardened = attestbed::posix::forbid_core_dumps(); !hardened) {
    std::fprintf(stderr, "attestbed: %s\n", attestbed::posix::describe(hardened.error()).c_str());
    return kExitCouldNotRun;
  }
  CLI::App app("attestbed: SEV-SNP attestation, simulated first", "attestbed");
  app.set_version_flag("--version", "attestbed " ATTESTBED_VERSION);
  app.footer(kFooter);
  int exit_code = kExitOk;
  add_run(app, exit_code);
  add_vm(app, exit_code);
  add_show(app, exit_code);
  add_measure(app, exit_code);
  add_image(app, exit_code);
  add_verify(app, exit_code);
  add_explain(app, exit_code);
  add_doctor(app, exit_code);
  add_uart_guest(app, exit_code);
  try {
    app.parse(argc, argv);
    // Not require_subcommand(): it complains before CLI11 names a misspelt one.
    if (app.get_subcommands().empty()) throw CLI::RequiredError("A subcommand");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "attestbed: %s\n", error.what());
    return attestbed::tools::kExitCouldNotRun;
  }
}
