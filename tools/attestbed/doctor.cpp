// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "tools/attestbed/doctor_certificates.h"
#include "tools/attestbed/doctor_report.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/image_defaults.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

struct Options {
  vm::Places places{.qemu = {}, .ovmf = {}, .kernels = kernel_folders()};
  std::vector<std::string> certs;
  std::string purpose;
  bool json = false;
};

constexpr char kFooter[] =
    "Changes nothing and asks no network. A check is ok, missing, or unknown where this host or this user cannot "
    "tell;\n"
    "under it stands what to do next. Run as root, it also asks the SNP firmware through /dev/sev.\n"
    "Exit codes: 0 if nothing that is required is missing for --for, without it for simulation; 1 otherwise; 2 usage.\n"
    "Examples:\n"
    "  attestbed doctor\n"
    "  attestbed doctor --for snp --ovmf /usr/local/share/OVMF.fd\n"
    "  attestbed doctor --json | jq -r '.snp.checks[] | select(.state == \"missing\") | .next'\n";

int doctor_command(const Options& options) {
  vm::ThisHost host;
  const vm::HostFacts facts = vm::find_facts(host, options.places);
  std::optional<vm::SnpPlatformStatus> firmware;
  if (facts.firmware) firmware = *facts.firmware;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

  Purpose simulation{"simulation", "Simulated guests in a VM", vm::simulation_checks(facts)};
  Purpose snp{"snp", "SEV-SNP guests", vm::snp_checks(facts)};
  snp.checks.push_back(check_certificates(options.certs, firmware, now));

  std::vector<Purpose> purposes;
  if (options.purpose != "snp") purposes.push_back(std::move(simulation));
  if (options.purpose != "simulation") purposes.push_back(std::move(snp));
  const bool ready = purposes.front().missing() == 0;
  const std::string said = options.json ? doctor_json(purposes).dump(2) + "\n" : doctor_text(purposes);
  std::fputs(said.c_str(), stdout);
  return ready ? kExitOk : kExitRefused;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", "Say what this host lacks for guests in a VM, and what to do");
  command->add_option("--for", options->purpose, "simulation or snp; by default both are shown")
      ->check(CLI::IsMember({"simulation", "snp"}));
  command->add_option("--qemu", options->places.qemu, "QEMU to look at; by default the installed one");
  command->add_option("--ovmf", options->places.ovmf, "OVMF to look at; by default the distribution's AmdSev build");
  command->add_option("--kernels", options->places.kernels, "Directory with unpacked kernel packages; repeatable")
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--certs", options->certs, "VCEK or VLEK of this machine: files or directories; repeatable");
  command->add_flag("--json", options->json, "One JSON object");
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = doctor_command(*options); });
}

}  // namespace attestbed::tools
