// SPDX-License-Identifier: Apache-2.0
#include "guest/init/sequence.h"

#include <cerrno>

#include "core/posix/vsock.h"
#include "guest/init/result_line.h"

namespace attestbed::guest {
namespace {

constexpr std::size_t kMaxCommandLineBytes = 4096;

/// Sequence is one start. Each step says on the console that it is complete; the first that fails ends it.
class Sequence {
 public:
  Sequence(Machine& machine, const char* version) : machine_(machine) {
    boot_.kernel = machine.since_boot();
    machine_.say("up " + std::string(version) + ", " + milliseconds_text(boot_.kernel) +
                 " ms after the kernel started");
  }

  Outcome<void> prepare() {
    TRY(machine_.mount(FileSystem::proc));
    TRY(read_words());
    if (words_.firmware.simulated()) {
      machine_.say("SIMULATED FIRMWARE: no SNP hardware signs this guest's reports; they protect nothing");
    }
    for (const FileSystem which : {FileSystem::sys, FileSystem::dev, FileSystem::run}) TRY(machine_.mount(which));
    snp_guest_ = machine_.is_snp_guest();
    machine_.say(measured_line(snp_guest_));
    if (words_.secret.type == SecretWord::Type::port) {
      machine_.say("THE HOST READS THE SECRET: attest.secret=port: hands it to the host, for demonstrations only");
    }
    phase("mounted");
    TRY(load_modules());
    // Where the kernel has it, it is a mount; where it has none, there is no configfs-tsm either.
    const bool tsm = words_.firmware.type == FirmwareWord::Type::tsm;
    if (snp_guest_ || tsm) (void)machine_.mount(FileSystem::configfs);
    phase("modules");
    if (words_.firmware.simulated()) {
      TRY(machine_.start_device(words_.firmware.type));
      phase("firmware");
    }
    return {};
  }

  Attempted attempt() {
    boot_.init = machine_.since_boot();
    Attempted attempted = machine_.attempt(words_);
    attempted.summary.simulated_firmware |= words_.firmware.simulated();
    boot_.first_frame = attempted.first_frame;
    tell_steps(attempted.summary);
    return attempted;
  }

  /// not_attempted is the result of a start that did not get as far.
  Attempted not_attempted(const Failure& failure) const {
    Attempted attempted;
    attempted.summary.terms = words_.terms;
    attempted.summary.simulated_firmware = words_.firmware.simulated();
    attempted.summary.error = failure.error;
    attempted.failure = failure;
    return attempted;
  }

  void tell(const Attempted& attempted) {
    boot_.done = machine_.since_boot();
    boot_.peak_rss_kib = machine_.peak_rss_kib();
    machine_.say("result " + result_json(attempted.summary, boot_, attempted.ports));
    machine_.say(attempted.failure
                     ? std::string(attempted.summary.outcome()) + ": " + error_name(attempted.failure->error.code) +
                           ": " + attempted.failure->text + "; " + attempted.failure->remedy
                     : summary_line(attempted.summary));
  }

  // Returns only if it could not: with the exit status then.
  int go_on() {
    machine_.say("next " + words_.next.init);
    const Failure failure = machine_.become(words_.next);
    machine_.say("failed: " + failure.text + "; " + failure.remedy);
    return error_row(failure.error.code).guest_exit;
  }

  const Words& words() const { return words_; }

 private:
  Outcome<void> read_words() {
    Result<std::string> conf = machine_.read(kGuestConf, kMaxWordsBytes);
    const bool absent = !conf && conf.error().code == Errc::io_failed && conf.error().found == ENOENT;
    if (!conf && !absent) return failure_at(kGuestConf, conf.error());
    const Result<std::string> line = machine_.read("/proc/cmdline", kMaxCommandLineBytes);
    if (!line) return failure_at("/proc/cmdline", line.error());
    ParsedWords parsed = parse_words(absent ? std::string_view() : *conf, *line);
    words_ = std::move(parsed.words);
    machine_.leaves_by(words_.debug_exit);
    if (parsed.failure) return *parsed.failure;
    return {};
  }

  Outcome<void> load_modules() {
    const Result<std::string> text = machine_.read(kModuleList, kMaxModuleListBytes);
    if (!text && text.error().found == ENOENT) return {};  // everything is built into this kernel
    if (!text) return failure_at(kModuleList, text.error());
    const std::vector<ListedModule> listed = TRY(parse_module_list(*text));
    for (const std::string& name : modules_for(listed, needed_for(words_, snp_guest_))) {
      TRY(machine_.load_module(name));
    }
    return {};
  }

  void phase(std::string_view name) { phase(name, machine_.since_boot()); }
  void phase(std::string_view name, std::chrono::nanoseconds at) {
    machine_.say("phase " + std::string(name) + " " + milliseconds_text(at));
  }

  // The attempt's steps are told when it is over: a console is slow, and the host could stretch the attempt by it.
  void tell_steps(const Summary& summary) {
    if (!summary.connected) return;
    // Both clocks run alike: the guest does not sleep.
    const auto boot_time = [now = machine_.since_boot(), then = machine_.now()](Instant at) {
      return now - (then - at);
    };
    phase("connected", boot_time(*summary.connected));
    for (std::size_t step = 1; step <= static_cast<std::size_t>(summary.trace.reached); ++step) {
      phase(attest_step_name(static_cast<AttestStep>(step)), boot_time(summary.trace.at[step]));
    }
  }

  Machine& machine_;
  Words words_;
  bool snp_guest_ = false;
  BootTimes boot_;
};

}  // namespace

std::vector<When> needed_for(const Words& words, bool snp_guest) {
  std::vector<When> needed{When::always};
  if (snp_guest) needed.push_back(When::snp);
  const bool port = words.line.type == LineWord::Type::virtio_port ||
                    words.firmware.type == FirmwareWord::Type::simulated || words.secret.type == SecretWord::Type::port;
  if (port) needed.push_back(When::virtio_serial);
  if (words.line.type == LineWord::Type::vsock) {
    needed.push_back(words.line.cid == posix::kVsockLoopbackCid ? When::vsock_loopback : When::vsock);
  }
  if (words.firmware.type == FirmwareWord::Type::tsm) needed.push_back(When::tsm);
  if (words.firmware.simulated()) needed.push_back(When::simulated);
  return needed;
}

Ending run_sequence(Machine& machine, const char* version) {
  Sequence sequence(machine, version);
  const Outcome<void> prepared = sequence.prepare();
  const Attempted attempted = prepared ? sequence.attempt() : sequence.not_attempted(prepared.error());
  sequence.tell(attempted);
  machine.stop_device();
  int exit = attempted.summary.exit();
  if (attempted.summary.released() && sequence.words().next.type != NextWord::Type::poweroff) {
    exit = sequence.go_on();
  }
  return {exit, sequence.words().debug_exit};
}

}  // namespace attestbed::guest
