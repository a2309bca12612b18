// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/posix/clock.h"
#include "mock-kbs/fault_plan.h"
#include "tools/attestbed/run_break.h"
#include "tools/attestbed/run_options.h"
#include "tools/attestbed/run_progress.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/stop_signal.h"

namespace attestbed::tools {
namespace {

constexpr const char* kCommand = "run";
constexpr unsigned kMaxSerialGuests = 64;

// Before anything is started: mock-kbs would say the same, as one of several programs.
std::string mistake_in(const std::vector<std::string>& faults) {
  if (faults.size() > kbs::kMaxFaults) {
    return "--fault: expected " + std::to_string(kbs::kMaxFaults) + " at most, found " + std::to_string(faults.size());
  }
  for (const std::string& text : faults) {
    const auto fault = kbs::parse_fault(text);
    if (!fault) return "--fault " + text + ": " + fault.error().text() + "; --fault list says what there is";
  }
  return {};
}

// What one of the two alone does not forbid.
std::string together(const Scenario& scenario) {
  if (scenario.line == LineType::pty && scenario.guests > kMaxSerialGuests) {
    return "--transport pty takes at most " + std::to_string(kMaxSerialGuests) + " guests: a proxy has no more doors";
  }
  if (scenario.inputs.broker != BrokerType::serving && (scenario.tls || !scenario.faults.empty())) {
    return "--tls and --fault are for mock-kbs, which --break " + std::string(scenario.broken->what) + " leaves out";
  }
  if (scenario.line == LineType::uart && scenario.inputs.tamper == Tamper::kill_proxy) {
    return "--transport uart with --break proxy-dies: a UART does not show that its far end is gone";
  }
  return {};
}

// Three descriptors watch each guest, and a serial line takes up to four more; the usual soft limit is 1024.
void raise_descriptor_limit(unsigned guests) {
  rlimit limit{};
  const rlim_t wanted = 64 + 7 * static_cast<rlim_t>(guests);
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // what does not suffice is named by whatever runs out first
}

launch::Outcome<std::vector<GuestOutput>> stage(Testbed& testbed, unsigned guests, Clock& clock) {
  TRY(testbed.start());
  GuestsProgress progress(clock, guests);
  return testbed.run_guests([&progress](const GuestsSoFar& now) { progress.tell(now); });
}

int run(const ScenarioOptions& options) {
  launch::StopSignal stop;
  posix::SteadyClock clock;
  raise_descriptor_limit(options.scenario.guests);
  auto scratch = launch::ScratchDir::make();
  if (!scratch) return could_not_run(kCommand, scratch.error());
  Testbed testbed(options.scenario, *std::move(scratch), clock, stop.fd());

  const auto guests = stage(testbed, options.scenario.guests, clock);
  RunResult result{.scenario = options.scenario,
                   .measurement = testbed.measurement(),
                   .parts = testbed.parts(),
                   .early_ends = testbed.early_ends(),
                   .guests = {},
                   .guests_took = testbed.guests_took(),
                   .kept = options.keep};
  testbed.stop();
  if (!options.keep.empty()) {
    if (const auto kept = testbed.keep_in(options.keep); !kept) return could_not_run(kCommand, kept.error());
  }
  if (!guests) return could_not_run(kCommand, guests.error());

  const Logs logs(testbed.log("attest-proxy"), testbed.log("mock-kbs"), testbed.log("relay"),
                  testbed.host_attestation());
  for (const GuestOutput& guest : *guests) result.guests.push_back(observe(guest, logs));
  result.faults = fault_fates(options.scenario.faults, logs);
  return print_result(kCommand, result, options);
}

constexpr const char* kFooter = R"(
Starts snp-sim, mock-kbs, attest-proxy and attest-guest as processes on private sockets, attests, cleans up.
Exit status: 0 all released, 1 one was refused or failed (with --break: as it should),
2 usage, 3 a part could not run, nobody noticed what was broken, or a --fault never happened.

Examples:
  attestbed run --show-secret
  attestbed run --guests 64 --json | jq .summary
  attestbed run --break list
  attestbed run --break signature
  attestbed run --binding kbs-sha384 --key P-256
  attestbed run --tls --fault resource:1:truncate
  attestbed run --json | jq '.guests[0].phases'
  attestbed run --product Genoa --keep out && attestbed verify out/report.bin --certs out/certs --root out/certs/ark.pem
)";

}  // namespace

void add_run(CLI::App& app, int& exit) {
  auto options = std::make_shared<ScenarioOptions>();
  CLI::App* command = app.add_subcommand(kCommand, "Run attestations with simulated hardware, from guest to secret");
  command->footer(kFooter);
  command->add_option("--guests", options->scenario.guests, "Guests that attest at once")
      ->check(CLI::Range(1U, Scenario::kMaxGuests))
      ->capture_default_str();
  add_scenario_options(
      *command, *options, {LineType::unix_socket, LineType::pty, LineType::uart},
      "Between guest and proxy: unix (a socket), pty (a serial line for each guest) or uart (a 16550)");
  command->add_flag("--tls", options->scenario.tls, "Proxy and broker speak https, under a CA made for this run");
  command
      ->add_option(
          "--fault", options->scenario.faults,
          "What the broker does wrong at its Nth request to an endpoint; repeatable; 'list' says what there is")
      ->type_name("ENDPOINT:N:KIND");
  command->callback([options, &exit] {
    if (std::ranges::find(options->scenario.faults, "list") != options->scenario.faults.end()) {
      std::fputs(kbs::fault_help().c_str(), stdout);
      return;
    }
    if (options->broken == "list") {
      std::fputs(break_list().c_str(), stdout);
      return;
    }
    std::string mistake = complete(*options);
    if (mistake.empty()) mistake = mistake_in(options->scenario.faults);
    if (mistake.empty()) mistake = together(options->scenario);
    exit = mistake.empty() ? run(*options) : usage(kCommand, mistake);
  });
}

}  // namespace attestbed::tools
