// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/vm_snp.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/posix/describe.h"
#include "guest/image/compression.h"
#include "guest/image/image.h"
#include "guest/init/words.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/run_options.h"
#include "tools/vm/qemu_words.h"

namespace attestbed::tools {
namespace {

constexpr std::size_t kMaxInitramfsBytes = std::size_t{512} << 20;  // a larger one is not looked into

/// become_qemu returns only if it cannot. QEMU gets this terminal, which is COM1, and nothing of the environment.
int become_qemu(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  char* const environment[] = {nullptr};
  ::execve(words.front(), words.data(), environment);
  std::fprintf(stderr, "attestbed vm: io_failed: %s: %s\n", argv.front().c_str(), std::strerror(errno));
  return kExitCouldNotRun;
}

/// mistake_in the further words, as the guest itself will judge them after ours; empty if there is none. What a
/// guest.conf in the image may still say is taken as said.
std::string mistake_in(const std::string& append) {
  const guest::ParsedWords parsed =
      guest::parse_words("attest.next=exec:/init", std::string(vm::kSnpAppend) + " " + append);
  return parsed.failure ? "--append: " + parsed.failure->text + "; " + parsed.failure->remedy : std::string();
}

/// lacks_driver is whether an initramfs of ours can be read and has no module sev-guest.
bool lacks_driver(const std::string& initramfs) {
  const Result<std::string> packed = posix::read_file(initramfs, kMaxInitramfsBytes);
  if (!packed) return false;
  const Result<std::string> archive = guest::zstd_decompress(bytes_of(*packed), kMaxInitramfsBytes);
  if (!archive) return false;
  // The names of an archive end with a zero.
  return archive->find(std::string("/sev-guest.ko") + '\0') == std::string::npos &&
         archive->find(std::string("/sev_guest.ko") + '\0') == std::string::npos;
}

}  // namespace

void add_snp_flags(CLI::App& command, CLI::Option* snp, vm::SnpLaunchOptions& into) {
  command.add_option("--ovmf", into.ovmf, "OVMF's AmdSev build; by default the distribution's")->needs(snp);
  command.add_option("--igvm", into.igvm, "IGVM file instead of OVMF, image and --append, as COCONUT-SVSM's")
      ->needs(snp);
  command.add_option("--com3", into.com3_socket, "Socket for COM3: the proxy's --unix-serial")
      ->needs(snp)
      ->capture_default_str();
  command.add_option("--vcpus", into.vcpus, "Virtual CPUs")->needs(snp)->capture_default_str();
  command.add_option("--vcpu-type", into.cpu_model, "Processor model by QEMU's name; its signature is measured")
      ->needs(snp)
      ->capture_default_str();
  command.add_option("--policy", into.policy, "Guest policy, as 0x30000 (the default)")->needs(snp);
  command.add_option("--host-data", into.host_data, "HOST_DATA: base64 of 32 octets")->needs(snp);
  command.add_option("--id-block", into.id_block, "ID block, a file of 96 octets")->needs(snp);
  command.add_option("--id-auth", into.id_auth, "Its authentication, a file of 4096 octets")->needs(snp);
  command.add_flag("--author-key-enabled", into.author_key_enabled, "The ID block has an author key")->needs(snp);
}

int vm_snp_command(vm::SnpLaunchOptions options, const std::string& image, const std::string& append) {
  if (const std::string mistake = mistake_in(append); !mistake.empty()) return usage("vm", mistake);
  if (!image.empty()) {
    options.kernel = image + "/" + guest::kImageKernel;
    options.initrd = image + "/" + guest::kImageInitramfs;
  }
  options.append = append;
  const auto launch = vm::plan_snp_launch(options);
  if (!launch) {
    const ErrorRow& row = error_row(launch.error().code);
    std::fprintf(stderr, "attestbed vm: %s: %s; %s\n", row.name, launch.error().text.c_str(), row.remedy);
    return exit_code_of(launch.error().code);
  }
  for (const std::string& line : launch->assumptions) {
    std::fprintf(stderr, "attestbed vm: assumed: %s\n", line.c_str());
  }
  if (!image.empty() && lacks_driver(options.initrd)) {
    std::fprintf(
        stderr,
        "attestbed vm: assumed: %s: has no module sev-guest, so the kernel has the driver built in; if not, the "
        "guest finds no /dev/sev-guest: attestbed image --kernel build/kernel-snp\n",
        options.initrd.c_str());
  }
  if (!options.print) return become_qemu(launch->argv);
  std::printf("%s\n", vm::shell_command(launch->argv).c_str());
  return kExitOk;
}

}  // namespace attestbed::tools
