// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/protocol/frame.h"
#include "core/protocol/resource_path.h"
#include "tools/attestbed/run_report.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/stop_signal.h"

namespace attestbed::tools {
namespace {

enum class Form { text, json };

struct RunOptions {
  Scenario scenario;
  std::string secret_file;
  std::string keep;
  ShowSecret show = ShowSecret::no;
  Form form = Form::text;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "attestbed run: %s (see attestbed run --help)\n", what.c_str());
  return 2;
}

int could_not_run(const launch::Failure& failure) {
  std::fprintf(stderr, "attestbed run: %s\n", failure.text().c_str());
  if (!failure.tail.empty()) std::fprintf(stderr, "its last lines:\n%s\n", failure.tail.c_str());
  return 3;
}

// What the flags alone cannot say: 0, or the exit status after one line that names the mistake.
int complete(RunOptions& options) {
  if (!options.secret_file.empty()) {
    Result<std::string> secret = posix::read_file(options.secret_file, protocol::kMaxCiphertextBytes);
    if (!secret) return usage("--secret-file " + options.secret_file + ": " + posix::describe(secret.error()));
    options.scenario.secret = *std::move(secret);
  }
  if (options.scenario.secret.empty()) return usage("the secret has no octets, and guests refuse an empty one");
  if (const auto path = protocol::ResourcePath::parse(options.scenario.resource, "--resource"); !path) {
    return usage("--resource '" + options.scenario.resource + "': " + posix::describe(path.error()));
  }
  std::error_code failed;
  if (!options.keep.empty() && std::filesystem::exists(options.keep, failed) &&
      !std::filesystem::is_empty(options.keep, failed)) {
    return usage("--keep " + options.keep + ": exists and is not an empty directory");
  }
  return 0;
}

int run(const RunOptions& options) {
  launch::StopSignal stop;
  posix::SteadyClock clock;
  auto scratch = launch::ScratchDir::make();
  if (!scratch) return could_not_run(scratch.error());
  Testbed testbed(options.scenario, *std::move(scratch), clock, stop.fd());

  const auto started = testbed.start();
  auto guest = started ? testbed.run_guest() : launch::Outcome<GuestOutput>(started.error());
  RunResult result{.scenario = options.scenario,
                   .measurement = testbed.measurement(),
                   .parts = testbed.parts(),
                   .early_ends = testbed.early_ends(),
                   .guests = {},
                   .kept = options.keep};
  testbed.stop();
  if (!options.keep.empty()) {
    if (const auto kept = testbed.keep_in(options.keep); !kept) return could_not_run(kept.error());
  }
  if (!guest) return could_not_run(guest.error());

  result.guests.push_back(observe(*guest, {testbed.log("attest-proxy"), testbed.log("mock-kbs")}));
  const std::string text =
      options.form == Form::json ? run_json(result, options.show) + "\n" : run_text(result, options.show);
  std::fputs(text.c_str(), stdout);
  return result.all_released() ? 0 : 1;
}

constexpr const char* kFooter = R"(
Starts snp-sim, mock-kbs, attest-proxy and attest-guest as processes on private sockets, attests once, cleans up.
Exit status: 0 released, 1 refused or failed, 2 usage, 3 a part could not run.

Examples:
  attestbed run --show-secret
  attestbed run --json | jq '.guests[0].phases'
  attestbed run --product Genoa --keep out && attestbed verify out/report.bin --certs out/certs --root out/certs/ark.pem
)";

}  // namespace

void add_run(CLI::App& app, int& exit) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run one attestation with simulated hardware, from guest to secret");
  command->footer(kFooter);
  command->add_flag_callback(
      "--json", [options] { options->form = Form::json; }, "One JSON object instead of text");
  command->add_flag_callback(
      "--show-secret", [options] { options->show = ShowSecret::yes; }, "Show the secret that the guest received");
  command->add_option("--keep", options->keep, "Keep logs, report and certificates in a new directory")
      ->type_name("DIR");
  auto* text = command
                   ->add_option("--secret", options->scenario.secret,
                                "Secret to release; other users of this machine see it in the process list")
                   ->type_name("TEXT")
                   ->capture_default_str();
  command->add_option("--secret-file", options->secret_file, "Secret to release, at most 32 KiB")
      ->type_name("FILE")
      ->excludes(text);
  command->add_option("--resource", options->scenario.resource, "Resource path: repository/type/tag")
      ->capture_default_str();
  command->add_option("--product", options->scenario.product, "Simulated machine: Milan or Genoa")
      ->check(CLI::IsMember({"Milan", "Genoa"}))
      ->capture_default_str();
  auto seconds = std::make_shared<unsigned>(60);
  command->add_option("--timeout", *seconds, "Seconds for the attempt")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->callback([options, seconds, &exit] {
    options->scenario.timeout = std::chrono::seconds(*seconds);
    exit = complete(*options);
    if (exit == 0) exit = run(*options);
  });
}

}  // namespace attestbed::tools
