// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/vm_snp.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/attestbed/exit_code.h"
#include "tools/vm/qemu_words.h"

namespace attestbed::tools {
namespace {

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

}  // namespace

void add_snp_flags(CLI::App& command, CLI::Option* snp, vm::SnpLaunchOptions& into) {
  command.add_option("--ovmf", into.ovmf, "OVMF's AmdSev build; by default the distribution's")->needs(snp);
  command.add_option("--igvm", into.igvm, "IGVM file instead of OVMF and kernel, as COCONUT-SVSM's")->needs(snp);
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
  if (!image.empty()) {
    options.kernel = image + "/" + vm::kSnpKernel;
    options.initrd = image + "/" + vm::kSnpInitrd;
  }
  if (!append.empty()) options.append += " " + append;
  const auto launch = vm::plan_snp_launch(options);
  if (!launch) {
    const ErrorRow& row = error_row(launch.error().code);
    std::fprintf(stderr, "attestbed vm: %s: %s; %s\n", row.name, launch.error().text.c_str(), row.remedy);
    return exit_code_of(launch.error().code);
  }
  for (const std::string& line : launch->assumptions) {
    std::fprintf(stderr, "attestbed vm: assumed: %s\n", line.c_str());
  }
  if (!options.print) return become_qemu(launch->argv);
  std::printf("%s\n", vm::shell_command(launch->argv).c_str());
  return kExitOk;
}

}  // namespace attestbed::tools
