// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/vm_testbed.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/posix/describe.h"
#include "core/protocol/ext.h"
#include "guest/init/words.h"
#include "sim/ovmf_files.h"
#include "sim/synthetic_firmware.h"
#include "tools/attestbed/guest_result.h"
#include "tools/attestbed/image_defaults.h"
#include "tools/vm/host_facts.h"
#include "tools/vm/qemu_accel.h"
#include "tools/vm/qemu_program.h"
#include "tools/vm/qemu_words.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using launch::Failure;
using launch::Outcome;
using nlohmann::ordered_json;

constexpr std::size_t kMaxSecretBytes = 64 * 1024;
constexpr std::chrono::seconds kTick{1};
constexpr const char* kSecretPort = "attestbed.secret";

Failure failure_of(const sim::Failure& failure) {
  return {.program = {}, .reason = failure.text};
}

/// transport_word is attest.transport= for the line.
std::string transport_word(LineType line) {
  switch (line) {
    case LineType::com3_raw:
      return "uart:0x3e8";
    case LineType::virtio_serial:
      return std::string("virtio-serial:") + guest::kDefaultLinePort;
    case LineType::vsock:
      return "vsock:2:" + std::to_string(kVsockPort);
    default:
      return "com3";
  }
}

// A CID that few others would choose: nobody hands them out, those up to 2 are taken, and of this user's guests each
// has another process number. Where somebody has this one all the same, QEMU says "unable to set guest cid" and ends.
std::uint32_t guest_cid() {
  return 3U + static_cast<std::uint32_t>(::getpid());
}

Outcome<std::string> qemu_of(const std::string& wanted) {
  if (const std::optional<std::string> found = vm::find_qemu(wanted)) return *found;
  if (!wanted.empty()) return Failure{.reason = "--qemu " + wanted + ": no such program"};
  return Failure{.reason = "no QEMU at " + vm::kQemuPaths[0] + " or " + vm::kQemuPaths[1] +
                           ": install it (Debian: qemu-system-x86; ./run deps does), or name one with --qemu"};
}

Outcome<vm::Version> version_of(const std::string& qemu, launch::Children& children, Clock& clock) {
  launch::Child* const child = TRY(children.start({.name = "qemu version", .program = qemu, .args = {"--version"}}));
  const launch::Exit exit = TRY(children.wait_exit(*child, clock.now() + vm::kProbePatience));
  const std::string& said = child->out().text();
  const bool is_qemu = exit.clean() && said.starts_with("QEMU");
  const std::optional<vm::Version> version = is_qemu ? vm::version_in(said) : std::nullopt;
  if (!version) return Failure{"qemu", "says no version, so it is none", child->last_lines()};
  return *version;
}

// A guest that was powered off by ACPI has said how it ended on its console alone: then QEMU's own status is 0.
std::optional<int> debug_exit_status(const launch::Exit& exit) {
  return exit.by_signal ? std::nullopt : vm::guest_status(exit.number);
}

}  // namespace

VmTestbed::VmTestbed(Scenario scenario, VmPlan plan, ShowSecret show, launch::ScratchDir scratch, Clock& clock,
                     int stop_fd)
    : scenario_(std::move(scenario)),
      plan_(std::move(plan)),
      show_(show),
      patience_(scenario_.inputs.guest_timeout + std::chrono::seconds(plan_.boot_seconds)),
      clock_(clock),
      parts_(std::move(scratch), clock, stop_fd),
      lines_(scenario_.line, scenario_.inputs.tamper, 1) {}

std::string VmTestbed::command_line(bool as_registered) const {
  const Inputs& inputs = scenario_.inputs;
  std::string words = "console=ttyS0 quiet panic=-1 attest.transport=" + transport_word(scenario_.line) +
                      " attest.firmware=simulated attest.secret_auth=none attest.resource=" + scenario_.resource +
                      " attest.timeout=" + std::to_string(inputs.guest_timeout.count()) + " attest.debug_exit=0xf4";
  if (const protocol::Terms usual; scenario_.binding != usual.binding || scenario_.key != usual.key) {
    words += std::string(" attest.binding=") + binding_name(scenario_.binding) +
             " attest.key=" + key_type_name(scenario_.key);
  }
  if (inputs.vmpl != 0) words += " attest.vmpl=" + std::to_string(inputs.vmpl);
  if (show_ == ShowSecret::yes) words += std::string(" attest.secret=port:") + kSecretPort;
  if (!plan_.append.empty()) words += " " + plan_.append;
  const bool another = inputs.launched_image != std::string_view(inputs.registered_image);
  if (another && !as_registered) words += std::string(" attestbed.image=") + inputs.launched_image;
  return words;
}

Outcome<void> VmTestbed::choose_accelerator(const std::string& qemu) {
  vm::AcceleratorChoice choice{vm::Accelerator::tcg, "as told"};
  if (plan_.accel != AccelChoice::tcg) {
    choice = TRY(vm::probe_kvm(qemu, parts_.scratch().path(), parts_.children(), clock_));
  }
  // A QEMU that stands still would be waited for: better said now.
  if (plan_.accel == AccelChoice::kvm && choice.accelerator != vm::Accelerator::kvm) {
    return Failure{.reason = "--accel kvm: " + choice.reason + "; --accel tcg works everywhere"};
  }
  accelerator_ = choice.accelerator;
  facts_.accelerator = vm::accelerator_name(choice.accelerator);
  facts_.reason = choice.reason;
  return {};
}

Outcome<void> VmTestbed::prepare() {
  qemu_ = TRY(qemu_of(plan_.qemu));
  const vm::Version version = TRY(version_of(qemu_, parts_.children(), clock_));
  reconnect_ = vm::reconnect_of(version);
  if (scenario_.line == LineType::vsock && ::access("/dev/vhost-vsock", R_OK | W_OK) != 0) {
    return Failure{.reason =
                       "--transport vsock needs /dev/vhost-vsock, which is absent here or not for this user: load "
                       "the module vhost_vsock, or choose another line"};
  }
  TRY(choose_accelerator(qemu_));
  boot_ = TRY(plan_.image.empty() ? make_image(plan_.kernel, plan_.added, parts_.scratch().path())
                                  : ready_image(plan_.image));
  facts_.release = boot_.release;
  facts_.memory_mib = plan_.memory_mib;
  facts_.kernel_octets = boot_.kernel_octets;
  facts_.initramfs_octets = boot_.initramfs_octets;
  TRY(lines_.prepare(parts_.scratch()));
  argv_ = vm::qemu_argv(qemu_guest());
  return {};
}

vm::QemuGuest VmTestbed::qemu_guest() const {
  vm::QemuGuest guest{.qemu = qemu_,
                      .accelerator = accelerator_,
                      .reconnect = reconnect_,
                      .memory_mib = plan_.memory_mib,
                      .kernel = boot_.kernel,
                      .initrd = boot_.initramfs,
                      .append = command_line(false),
                      .com3_socket = {}};
  guest.ports.push_back({guest::kFirmwarePort, parts_.firmware_socket(), {}});
  switch (scenario_.line) {
    case LineType::virtio_serial:
      guest.ports.push_back({guest::kDefaultLinePort, lines_.socket(), {}});
      break;
    case LineType::vsock:
      guest.vsock_cid = guest_cid();
      break;
    default:
      guest.com3_socket = lines_.socket();
  }
  if (show_ == ShowSecret::yes) guest.ports.push_back({kSecretPort, {}, parts_.file("released")});
  return guest;
}

Outcome<void> VmTestbed::write_firmware() const {
  const auto firmware = sim::synthetic_firmware();
  if (!firmware) return Failure{.reason = "synthetic firmware: " + posix::describe(firmware.error())};
  if (const Status written = posix::write_file_private(parts_.file("firmware.fd"), *firmware); !written) {
    return Failure{.reason = parts_.file("firmware.fd") + ": " + posix::describe(written.error())};
  }
  return {};
}

// In the same way as `attestbed measure --ovmf … --kernel … --initrd … --append …`.
Outcome<std::string> VmTestbed::registered_measurement() const {
  if (!plan_.measurement.empty()) return plan_.measurement;
  const auto image = sim::load_ovmf_launch({.ovmf = parts_.file("firmware.fd"),
                                            .kernel = boot_.kernel,
                                            .initrd = boot_.initramfs,
                                            .cmdline = command_line(true)});
  if (!image) return failure_of(image.error());
  const auto digest = sim::measure_image(*image);
  if (!digest) return failure_of(digest.error());
  return posix::to_hex(*digest);
}

Outcome<void> VmTestbed::start() {
  TRY(write_firmware());
  TRY(parts_.make_certificates(scenario_.product));
  TRY(parts_.start_firmware(scenario_.inputs, {"--ovmf", parts_.file("firmware.fd"), "--kernel", boot_.kernel,
                                               "--initrd", boot_.initramfs, "--append", command_line(false)}));
  measurement_ = TRY(registered_measurement());
  TRY(parts_.start_broker(scenario_, measurement_));
  const pid_t proxy = TRY(parts_.start_proxy(scenario_, lines_.proxy_flags()));
  TRY(lines_.connect(proxy, clock_, clock_.now() + patience_));
  argv_ = vm::qemu_argv(qemu_guest());  // which now knows whether somebody sits in the middle of the line
  return {};
}

Failure VmTestbed::no_verdict(const launch::Child& qemu, const std::string& why) const {
  const std::string panic = vm::panic_in(qemu.out().text());
  const std::string last = console_.lines().empty() ? "attest-guest said nothing"
                                                    : "attest-guest's last words: " + console_.lines().back().text;
  const std::string cut =
      qemu.out().dropped() == 0
          ? std::string()
          : "; of its console only the first " + std::to_string(launch::Captured::kMaxBytes) + " octets were kept";
  const std::string tail = qemu.err().text().empty() ? qemu.out().last_lines(5) : qemu.err().last_lines(5);
  return {"qemu", (panic.empty() ? why : "the guest's kernel gave up: " + panic) + "; " + last + cut, tail};
}

Outcome<GuestOutput> VmTestbed::run_guest(const std::function<void(const vm::ConsoleLine&)>& tell,
                                          const std::function<void()>& tick) {
  launch::Children& children = parts_.children();
  const Instant started = clock_.now();
  launch::Child* const qemu =
      TRY(children.start({.name = "qemu", .program = argv_.front(), .args = {argv_.begin() + 1, argv_.end()}}));
  const std::array<launch::Child*, 1> all = {qemu};
  const Deadline until = started + patience_;
  const auto look = [&](std::size_t) { console_.read(qemu->out().text(), clock_.now(), tell); };
  Outcome<void> waited;
  do {
    waited = children.wait_all(all, std::min(until, clock_.now() + kTick), look);
    if (!waited && !waited.error().stopped) tick();
  } while (!waited && !waited.error().stopped && clock_.now() < until);
  if (!waited && waited.error().stopped) return waited.error();
  const launch::Exit exit = children.end(*qemu, std::chrono::seconds(1));
  console_.read(qemu->out().text(), clock_.now(), tell);
  guest_took_ = clock_.now() - started;

  const auto [result, wrong] = read_guest_result(console_.result());
  if (!console_.result().empty() && !wrong.empty()) {
    return no_verdict(*qemu, "the guest's result is malformed: " + wrong);
  }
  const bool by_acpi = exit.clean() && wrong.empty();
  const std::optional<int> status = by_acpi ? std::optional(result["exit"].get<int>()) : debug_exit_status(exit);
  if (!status || !wrong.empty()) {
    return no_verdict(*qemu, waited ? "QEMU ended (" + exit.text() + ") before the guest said how it ended"
                                    : "the guest gave no result within " + std::to_string(patience_.count()) +
                                          " s (--timeout and --boot-timeout; give it longer, or look at its console "
                                          "with --keep), so QEMU was stopped");
  }
  note_times(result, started);
  return GuestOutput{
      .exit = {.by_signal = false, .number = *status},
      .result = console_.result(),
      .words = *status == 0 ? std::string() : console_.words(),
      .secret = show_ == ShowSecret::yes ? read_if_there(parts_.file("released"), kMaxSecretBytes) : std::nullopt,
      .report = {},
      .peer = scenario_.line == LineType::vsock ? "cid " + std::to_string(guest_cid()) : lines_.peer(0, qemu->pid())};
}

// The guest's clock begins with its kernel; where the two meet is its first line.
void VmTestbed::note_times(const ordered_json& result, Instant started) {
  const auto until = [&](const std::optional<Instant>& at) {
    return at ? std::optional<std::chrono::nanoseconds>(*at - started) : std::nullopt;
  };
  facts_.started.up = until(console_.arrival("up "));
  facts_.started.result = until(console_.arrival("result "));
  const auto boot = result.is_object() ? result.value("boot", ordered_json::object()) : ordered_json::object();
  const auto number = [&](const char* name) {
    const auto found = boot.find(name);
    return found != boot.end() && found->is_number() ? std::optional<double>(found->get<double>()) : std::nullopt;
  };
  const auto kernel = number("kernel_ms"), first_frame = number("first_frame_ms");
  if (facts_.started.up && kernel && first_frame && *first_frame >= *kernel && *first_frame < 1e9) {
    facts_.started.first_frame =
        *facts_.started.up + std::chrono::microseconds(static_cast<std::int64_t>((*first_frame - *kernel) * 1000));
  }
  if (const auto rss = number("peak_rss_kib"); rss && *rss >= 0 && *rss < 1e9) {
    facts_.peak_rss_kib = static_cast<std::uint64_t>(*rss);
  }
}

void VmTestbed::stop() {
  lines_.stop();
  parts_.stop();
}

Logs VmTestbed::logs() const {
  return Logs(parts_.log("attest-proxy"), parts_.log("mock-kbs"), lines_.relay_log(), lines_.host_attestation());
}

Outcome<void> VmTestbed::keep_in(const std::string& folder) const {
  TRY(parts_.keep_in(folder));
  for (const auto& child : parts_.children().all()) {
    if (child->name() == "qemu") TRY(keep_file(folder, "console.log", child->out().text()));
  }
  if (const std::string relay = lines_.relay_log(); !relay.empty()) TRY(keep_file(folder, "relay.log", relay));
  TRY(keep_file(folder, "cmdline", command_line(false)));
  TRY(keep_file(folder, "qemu.sh", vm::shell_command(argv_) + "\n"));
  const std::pair<std::string, const char*> files[] = {
      {boot_.kernel, kImageKernel}, {boot_.initramfs, kImageInitramfs}, {parts_.file("firmware.fd"), "firmware.fd"}};
  for (const auto& [from, name] : files) {
    std::error_code failed;
    fs::copy_file(from, fs::path(folder) / name, failed);
    if (failed) return Failure{.program = {}, .reason = folder + "/" + name + ": " + failed.message()};
  }
  return {};
}

}  // namespace attestbed::tools
