// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/protocol/frame.h"
#include "core/protocol/resource_path.h"
#include "tools/attestbed/run_break.h"
#include "tools/attestbed/run_report.h"
#include "tools/attestbed/run_verdict.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/stop_signal.h"

namespace attestbed::tools {
namespace {

enum class Form { text, json };

constexpr unsigned kMaxSerialGuests = 64;

struct RunOptions {
  Scenario scenario;
  std::string secret_file;
  std::string keep;
  std::string broken;
  std::optional<unsigned> timeout;  // what was asked for; the default is that of Inputs
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

std::string break_names() {
  std::string names;
  for (const BreakRow& row : break_rows()) names += std::string(names.empty() ? "" : " ") + row.what;
  return names;
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
  Inputs& inputs = options.scenario.inputs;
  if (options.timeout) inputs.guest_timeout = inputs.proxy_timeout = std::chrono::seconds(*options.timeout);
  if (!options.broken.empty()) {
    options.scenario.broken = break_named(options.broken);
    if (options.scenario.broken == nullptr)
      return usage("--break " + options.broken + " does not exist; there is: " + break_names());
    if (options.scenario.guests != 1) return usage("--break breaks one guest's attempt: leave --guests out");
    const auto guest_timeout = inputs.guest_timeout, proxy_timeout = inputs.proxy_timeout;
    options.scenario.broken->apply(inputs);
    if (options.timeout && (inputs.guest_timeout != guest_timeout || inputs.proxy_timeout != proxy_timeout)) {
      return usage("--break " + options.broken + " sets a time limit of its own: leave --timeout out");
    }
  }
  if (options.scenario.line == LineType::pty && options.scenario.guests > kMaxSerialGuests) {
    return usage("--transport pty takes at most " + std::to_string(kMaxSerialGuests) +
                 " guests: a proxy has no more doors");
  }
  if (options.scenario.line == LineType::uart && inputs.tamper == Tamper::kill_proxy) {
    return usage("--transport uart with --break proxy-dies: a UART does not show that its far end is gone");
  }
  std::error_code failed;
  if (!options.keep.empty() && std::filesystem::exists(options.keep, failed) &&
      !std::filesystem::is_empty(options.keep, failed)) {
    return usage("--keep " + options.keep + ": exists and is not an empty directory");
  }
  return 0;
}

// Three descriptors watch each guest, and a serial line takes up to four more; the usual soft limit is 1024.
void raise_descriptor_limit(unsigned guests) {
  rlimit limit{};
  const rlim_t wanted = 64 + 7 * static_cast<rlim_t>(guests);
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // what does not suffice is named by whatever runs out first
}

/// Progress keeps a line on a terminal while many guests run, if that takes long enough to wonder.
class Progress {
 public:
  Progress(Clock& clock, std::size_t guests) : clock_(clock), guests_(guests), begin_(clock.now()) {}
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void tell(std::size_t ended) {
    if (!terminal_ || clock_.now() - begin_ < std::chrono::seconds(1)) return;
    std::fprintf(stderr, "\rattestbed run: %zu of %zu guests have ended", ended, guests_);
    shown_ = true;
  }

 private:
  Clock& clock_;
  std::size_t guests_;
  Instant begin_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1, shown_ = false;
};

launch::Outcome<std::vector<GuestOutput>> stage(Testbed& testbed, unsigned guests, Clock& clock) {
  TRY(testbed.start());
  Progress progress(clock, guests);
  return testbed.run_guests([&progress](std::size_t ended) { progress.tell(ended); });
}

int run(const RunOptions& options) {
  launch::StopSignal stop;
  posix::SteadyClock clock;
  raise_descriptor_limit(options.scenario.guests);
  auto scratch = launch::ScratchDir::make();
  if (!scratch) return could_not_run(scratch.error());
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
    if (const auto kept = testbed.keep_in(options.keep); !kept) return could_not_run(kept.error());
  }
  if (!guests) return could_not_run(guests.error());

  const Logs logs(testbed.log("attest-proxy"), testbed.log("mock-kbs"), testbed.log("relay"),
                  testbed.host_attestation());
  for (const GuestOutput& guest : *guests) result.guests.push_back(observe(guest, logs));
  const std::string text =
      options.form == Form::json ? run_json(result, options.show) + "\n" : run_text(result, options.show);
  std::fputs(text.c_str(), stdout);
  if (options.scenario.broken != nullptr) {
    const std::string unmet = break_unmet(*options.scenario.broken, result.guests.front());
    if (!unmet.empty()) std::fprintf(stderr, "attestbed run: %s\n", unmet.c_str());
  }
  return result.exit();
}

std::map<std::string, LineType> transports() {
  std::map<std::string, LineType> names;
  for (const LineType type : {LineType::unix_socket, LineType::pty, LineType::uart}) names[line_name(type)] = type;
  return names;
}

constexpr const char* kFooter = R"(
Starts snp-sim, mock-kbs, attest-proxy and attest-guest as processes on private sockets, attests, cleans up.
Exit status: 0 all released, 1 one was refused or failed (with --break: as it should),
2 usage, 3 a part could not run, or nobody noticed what was broken.

Examples:
  attestbed run --show-secret
  attestbed run --guests 64 --json | jq .summary
  attestbed run --break list
  attestbed run --break signature
  attestbed run --json | jq '.guests[0].phases'
  attestbed run --product Genoa --keep out && attestbed verify out/report.bin --certs out/certs --root out/certs/ark.pem
)";

}  // namespace

void add_run(CLI::App& app, int& exit) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run attestations with simulated hardware, from guest to secret");
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
  command->add_option("--guests", options->scenario.guests, "Guests that attest at once")
      ->check(CLI::Range(1U, Scenario::kMaxGuests))
      ->capture_default_str();
  command->add_option("--break", options->broken, "Break one input; 'list' says which, who notices and with which code")
      ->type_name("WHAT");
  command
      ->add_option("--transport", options->scenario.line,
                   "Between guest and proxy: unix (a socket), pty (a serial line for each guest) or uart (a 16550)")
      ->transform(CLI::CheckedTransformer(transports(), CLI::ignore_case))
      ->type_name("LINE")
      ->default_str(line_name(options->scenario.line));
  command
      ->add_option("--timeout", options->timeout,
                   "Seconds for each attempt; not with --break firmware or timeout, which set their own")
      ->check(CLI::Range(1, 3600))
      ->default_str(std::to_string(Inputs{}.guest_timeout.count()));
  command->callback([options, &exit] {
    if (options->broken == "list") {
      std::fputs(break_list().c_str(), stdout);
      return;
    }
    exit = complete(*options);
    if (exit == 0) exit = run(*options);
  });
}

}  // namespace attestbed::tools
