// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/snp_launch.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/base/base64.h"
#include "core/base/writer.h"
#include "core/posix/describe.h"
#include "guest/image/image.h"
#include "sim/id_block.h"
#include "tools/vm/host_checks.h"
#include "tools/vm/qemu_program.h"

namespace attestbed::vm {
namespace {

using sim::Failure;
using sim::Outcome;

Outcome<std::string> base64_of_file(const std::string& path, std::size_t max) {
  if (path.empty()) return std::string();
  const auto octets = posix::read_file(path, max);
  if (!octets) return sim::failure_at(path, octets.error());
  std::string text(base64_encoded_size(Base64::standard, octets->size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::standard, bytes_of(*octets), out);
  return text;
}

/// Reconnect of a QEMU that is not known, or not the one that will start the guest, is that of the newest ones.
Reconnect reconnect_for(const QemuFacts& qemu) {
  return qemu.version && *qemu.version >= kSnpQemu ? reconnect_of(*qemu.version) : Reconnect::milliseconds;
}

std::string first_of(const std::string& chosen, const std::string& found, const std::string& usual) {
  return !chosen.empty() ? chosen : !found.empty() ? found : usual;
}

/// readable demands that QEMU will find what it is told to start: it says of a file less than we can. The failure's
/// text leaves the path out.
Outcome<void> readable(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) return Failure{Errc::io_failed, std::system_category().message(errno)};
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) return {};
  return Failure{Errc::bad_config, "expected a regular file, found something else"};
}

std::vector<std::string> files_of(const SnpCommand& command) {
  if (const auto* igvm = std::get_if<IgvmBoot>(&command.boot)) return {igvm->igvm};
  const auto& direct = std::get<DirectBoot>(command.boot);
  return {direct.kernel, direct.initrd};
}

Outcome<SnpCommand> command_for(const SnpLaunchOptions& options, const HostFacts& facts) {
  SnpCommand command;
  command.qemu = first_of(options.qemu, facts.qemu.path, "qemu-system-x86_64");
  if (options.igvm.empty()) {
    const bool ours = options.kernel.empty();
    const std::string append = options.append.empty() ? kSnpAppend : kSnpAppend + (" " + options.append);
    command.boot =
        DirectBoot{first_of(options.ovmf, facts.ovmf.path, kOvmfPaths.front()),
                   ours ? guest::kImageKernel : options.kernel, ours ? guest::kImageInitramfs : options.initrd, append};
  } else {
    command.boot = IgvmBoot{options.igvm};
  }
  command.vcpus = options.vcpus;
  command.memory_mib = options.memory_mib;
  command.cpu_model = options.cpu_model;
  command.policy = options.policy;
  if (facts.processor.memory_encryption) command.cbit_position = facts.processor.memory_encryption->cbit_position;
  command.host_data = options.host_data;
  command.id_block = TRY(base64_of_file(options.id_block, sizeof(sim::IdBlock)));
  command.id_auth = TRY(base64_of_file(options.id_auth, sizeof(sim::IdAuth)));
  command.author_key_enabled = options.author_key_enabled;
  command.console = options.console;
  command.com3_socket = options.com3_socket;
  command.reconnect = reconnect_for(facts.qemu);
  command.more = options.more;
  return command;
}

std::string version_text(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

/// assume_qemu says what the command line takes for granted of QEMU, and this host's does not have.
void assume_qemu(const SnpCommand& command, const QemuFacts& qemu, std::vector<std::string>& lines) {
  const bool igvm = std::holds_alternative<IgvmBoot>(command.boot);
  const std::string wanted =
      "; the command line is for QEMU " + version_text(igvm ? kIgvmQemu : kMillisecondsQemu) + " or later";
  if (qemu.path.empty()) {
    lines.push_back(command.qemu + ": not found here" + wanted);
  } else if (!qemu.version || *qemu.version < kSnpQemu) {
    lines.push_back(command.qemu + ": too old for SNP guests here" + wanted);
  } else if (!qemu.knows_snp.value_or(false)) {
    lines.push_back(command.qemu + ": built without SNP guests here");
  } else if (igvm && !qemu.knows_igvm.value_or(false)) {
    lines.push_back(command.qemu + ": knows no IGVM files here" + wanted + ", built with --enable-igvm");
  }
}

/// assume_file says that what somebody named is not there.
void assume_file(const char* option, const std::string& path, std::vector<std::string>& lines) {
  if (path.empty()) return;
  const Outcome<void> there = readable(path);
  if (!there)
    lines.push_back(std::string(option) + " " + path + ": the path is only expected; here, " + there.error().text);
}

std::vector<std::string> assumptions_of(const SnpLaunchOptions& options, const SnpCommand& command,
                                        const HostFacts& facts) {
  std::vector<std::string> lines;
  if (!facts.processor.memory_encryption) {
    lines.push_back("cbitpos=" + std::to_string(command.cbit_position) +
                    ": this processor has no CPUID 0x8000001F; an SNP host's value is EBX[5:0] of it");
  }
  if (const auto* direct = std::get_if<DirectBoot>(&command.boot); direct != nullptr && facts.ovmf.path.empty()) {
    lines.push_back("-bios " + direct->ovmf + ": the path is only expected; here, " + facts.ovmf.complaint);
  }
  if (std::holds_alternative<DirectBoot>(command.boot) && options.kernel.empty()) {
    lines.push_back(std::string("-kernel ") + guest::kImageKernel + " -initrd " + guest::kImageInitramfs +
                    ": no image was named; attestbed image --out makes one");
  }
  assume_file("-kernel", options.kernel, lines);
  assume_file("-initrd", options.initrd, lines);
  assume_file("igvm-cfg", options.igvm, lines);
  assume_qemu(command, facts.qemu, lines);
  return lines;
}

Failure unavailable(const std::vector<HostCheck>& missing) {
  std::string text = "missing on this host: ";
  for (const HostCheck& each : missing) {
    if (&each != &missing.front()) text += "; ";
    text += each.name + std::string(" (") + each.found + ")";
  }
  return {Errc::snp_unavailable, text};
}

}  // namespace

Outcome<SnpLaunch> plan_snp_launch(const SnpLaunchOptions& options, const HostFacts& facts) {
  if (!options.igvm.empty() && !(options.kernel + options.initrd + options.ovmf + options.append).empty()) {
    return Failure{
        Errc::bad_config,
        "IGVM file: expected no firmware, kernel, initial RAM disk and kernel command line beside it, since it "
        "holds what is measured; found one of them"};
  }
  if (options.kernel.empty() != options.initrd.empty()) {
    return Failure{
        Errc::bad_config,
        "kernel: expected an initial RAM disk with it, since PID 1 of the guest is in there; found one of the "
        "two alone"};
  }
  const SnpCommand command = TRY(command_for(options, facts));
  std::vector<std::string> argv = TRY(snp_argv(command));
  if (options.print) return SnpLaunch{std::move(argv), assumptions_of(options, command, facts)};
  const auto missing = missing_for_snp(facts, options.igvm.empty() ? SnpBoot::kernel : SnpBoot::igvm);
  if (!missing.empty()) return unavailable(missing);
  for (const std::string& file : files_of(command)) {
    if (const auto there = readable(file); !there) return Failure{there.error().code, file + ": " + there.error().text};
  }
  return SnpLaunch{std::move(argv), {}};
}

Outcome<SnpLaunch> plan_snp_launch(const SnpLaunchOptions& options) {
  ThisHost host;
  return plan_snp_launch(options, find_facts(host, {options.qemu, options.ovmf, {}}));
}

}  // namespace attestbed::vm
