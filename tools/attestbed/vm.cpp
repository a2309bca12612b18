// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/posix/clock.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/image_defaults.h"
#include "tools/attestbed/run_break.h"
#include "tools/attestbed/run_options.h"
#include "tools/attestbed/subcommands.h"
#include "tools/attestbed/vm_snp.h"
#include "tools/attestbed/vm_testbed.h"
#include "tools/launch/stop_signal.h"
#include "tools/vm/qemu_words.h"

namespace attestbed::tools {
namespace {

constexpr const char* kCommand = "vm";
constexpr const char* kNoBreakInVm = "proxy-dies";
// x86 Linux takes 2047 octets of command line, of which ours are less than 600.
constexpr std::size_t kMaxAppend = 1400;

struct VmOptions {
  ScenarioOptions common;
  VmPlan plan;
  bool print = false;
  bool on_snp_host = false;
  vm::SnpLaunchOptions snp;
};

/// Progress shows on a terminal what the guest said last, while it boots and attests.
class Progress {
 public:
  explicit Progress(Clock& clock) : clock_(clock), begin_(clock.now()) {}
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void tell(std::string_view what) {
    what_ = what.substr(0, 60);
    tick();
  }
  void tick() {
    if (!terminal_) return;
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - begin_).count() / 100;
    std::fprintf(stderr, "\r\033[Kattestbed vm: %lld.%lld s: %s", static_cast<long long>(tenths / 10),
                 static_cast<long long>(tenths % 10), what_.c_str());
    shown_ = true;
  }

 private:
  Clock& clock_;
  Instant begin_;
  std::string what_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1, shown_ = false;
};

launch::Outcome<GuestOutput> stage(VmTestbed& testbed, Clock& clock) {
  Progress progress(clock);
  progress.tell("making the image");
  TRY(testbed.prepare());
  progress.tell("starting firmware, broker and proxy");
  TRY(testbed.start());
  progress.tell("booting under " + testbed.facts().accelerator);
  return testbed.run_guest(
      [&](const vm::ConsoleLine& line) {
        if (!line.text.starts_with("result ")) progress.tell(line.text);
      },
      [&] { progress.tick(); });
}

int print_command(VmTestbed& testbed) {
  if (const auto prepared = testbed.prepare(); !prepared) return could_not_run(kCommand, prepared.error());
  std::fputs((vm::shell_command(testbed.argv()) + "\n").c_str(), stdout);
  std::fputs(
      "attestbed vm: the paths of sockets and, without --image, of kernel and initramfs are gone when this command "
      "ends: "
      "put your own there\n",
      stderr);
  return kExitOk;
}

int run(const VmOptions& options) {
  launch::StopSignal stop;
  posix::SteadyClock clock;
  auto scratch = launch::ScratchDir::make();
  if (!scratch) return could_not_run(kCommand, scratch.error());
  VmTestbed testbed(options.common.scenario, options.plan, options.common.show, *std::move(scratch), clock, stop.fd());
  if (options.print) return print_command(testbed);

  const auto guest = stage(testbed, clock);
  RunResult result{.scenario = options.common.scenario,
                   .measurement = testbed.measurement(),
                   .parts = testbed.parts(),
                   .early_ends = testbed.early_ends(),
                   .guests = {},
                   .guests_took = testbed.guest_took(),
                   .kept = options.common.keep,
                   .vm = testbed.facts()};
  testbed.stop();
  if (!options.common.keep.empty()) {
    if (const auto kept = testbed.keep_in(options.common.keep); !kept && guest) {
      return could_not_run(kCommand, kept.error());
    }
  }
  if (!guest) return could_not_run(kCommand, guest.error());
  result.guests.push_back(observe(*guest, testbed.logs()));
  // The console alone is anybody's word who runs in the guest.
  if (result.guests.front().released() && !result.guests.front().release_seen) {
    return could_not_run(kCommand, {.program = "guest",
                                    .reason = "it says that it has its secret, and proxy and broker know of no release "
                                              "to this attestation: what ran as PID 1 was not attest-guest alone"});
  }
  return print_result(kCommand, result, options.common);
}

std::string together(const VmOptions& options) {
  const Scenario& scenario = options.common.scenario;
  if (scenario.inputs.tamper == Tamper::kill_proxy) {
    return std::string("--break ") + kNoBreakInVm +
           ": a VM's line does not show that its far end is gone; attestbed run has it";
  }
  if (scenario.line == LineType::vsock && scenario.inputs.tamper != Tamper::nothing) {
    return "--break " + options.common.broken + " sits in the middle of the line, which nobody can on a vsock";
  }
  for (const std::string& text : options.plan.added) {
    if (!parse_added(text)) return "--add '" + text + "' is not HOST=GUEST: write --add tool=/bin/tool";
  }
  const std::string& append = options.plan.append;
  if (append.size() > kMaxAppend || std::ranges::any_of(append, [](char c) { return c < 0x20 || c > 0x7e; })) {
    return "--append: expected up to " + std::to_string(kMaxAppend) +
           " printable characters, since a kernel cuts its "
           "command line where it is measured whole; found " +
           std::to_string(append.size());
  }
  const std::string& digest = options.plan.measurement;
  if (!digest.empty() && (digest.size() != 96 || !std::ranges::all_of(digest, [](char c) {
                            return std::isxdigit(static_cast<unsigned char>(c)) != 0;
                          }))) {
    return "--measurement: expected 96 hexadecimal digits, found " + std::to_string(digest.size()) + " characters";
  }
  return {};
}

constexpr const char* kFooter = R"(
Boots a kernel with attest-guest as PID 1 in QEMU, without SNP hardware: the report comes from snp-sim, whose launch
digest is that of the booted kernel, initramfs and command line (attestbed measure) over a synthetic firmware.
With --snp: a guest on a host that has SEV-SNP; see docs/running-on-snp.md.
Exit status: 0 released, 1 refused or failed (with --break: as it should), 2 usage, 3 a part could not run, or nobody
noticed what was broken. With --snp: 2, 3, or that of QEMU, which this becomes: it is 0 for every guest that switched
itself off, released or refused, so read the guest's line "result", or the broker's log.

Examples:
  attestbed vm --show-secret
  attestbed vm --break measurement
  attestbed vm --transport virtio-serial --json | jq .vm
  attestbed vm --keep out/vm
)";

}  // namespace

void add_vm(CLI::App& app, int& exit) {
  auto options = std::make_shared<VmOptions>();
  options->common.scenario.line = LineType::com3;
  CLI::App* command = app.add_subcommand(kCommand, "Run one attestation from inside a virtual machine");
  command->footer(kFooter);
  add_scenario_options(*command, options->common,
                       {LineType::com3, LineType::com3_raw, LineType::virtio_serial, LineType::vsock},
                       "Between guest and proxy: com3, com3-raw (without the kernel's driver), virtio-serial or vsock");
  add_named_option(*command, "--accel", options->plan.accel,
                   {{"auto", AccelChoice::automatic}, {"tcg", AccelChoice::tcg}, {"kvm", AccelChoice::kvm}},
                   "tcg, kvm, or auto: kvm if it runs a tiny guest");
  command->add_option("--qemu", options->plan.qemu, "QEMU to use")->type_name("PROGRAM");
  CLI::Option* kernel =
      command->add_option("--kernel", options->plan.kernel, "Kernel, or the tree of its package")->type_name("PATH");
  CLI::Option* image =
      command->add_option("--image", options->plan.image, "Image that attestbed image wrote")->type_name("DIR");
  image->excludes(kernel);
  command->add_option("--add", options->plan.added, "Put a file of this host into the image; repeatable")
      ->type_name("HOST=GUEST")
      ->excludes(image);
  command
      ->add_option("--append", options->plan.append, "Further words for the kernel's command line; they are measured")
      ->type_name("TEXT");
  command
      ->add_option("--measurement", options->plan.measurement,
                   "Launch digest that the broker expects; by default that of what is booted")
      ->type_name("HEX");
  command->add_option("--memory", options->plan.memory_mib, "Memory of the guest in MiB; with --snp by default 512")
      ->check(CLI::Range(96U, 1U << 16))
      ->capture_default_str();
  command->add_option("--boot-timeout", options->plan.boot_seconds, "Seconds that booting may take; added to --timeout")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
  command->add_flag("--print", options->print, "Only show the command line of QEMU")
      ->excludes(command->get_option("--keep"), command->get_option("--json"));
  CLI::Option* snp =
      command->add_flag("--snp", options->on_snp_host, "An SNP guest on this host, whose proxy runs already");
  add_snp_flags(*command, snp, options->snp);
  for (const char* simulated : {"--json", "--show-secret", "--keep", "--secret", "--secret-file", "--resource",
                                "--binding", "--key", "--product", "--break", "--transport", "--timeout",
                                "--boot-timeout", "--accel", "--add", "--measurement", "--kernel"}) {
    snp->excludes(command->get_option(simulated));
  }
  CLI::Option* memory = command->get_option("--memory");
  command->callback([options, memory, &exit] {
    if (options->on_snp_host) {
      options->snp.print = options->print;
      options->snp.qemu = options->plan.qemu;
      if (memory->count() > 0) options->snp.memory_mib = options->plan.memory_mib;
      exit = vm_snp_command(options->snp, options->plan.image, options->plan.append);
      return;
    }
    if (options->common.broken == "list") {
      std::fputs(break_list(kNoBreakInVm).c_str(), stdout);
      return;
    }
    std::string mistake = complete(options->common);
    if (mistake.empty()) mistake = together(*options);
    exit = mistake.empty() ? run(*options) : usage(kCommand, mistake);
  });
}

}  // namespace attestbed::tools
