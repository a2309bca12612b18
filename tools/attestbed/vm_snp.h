// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/vm/snp_launch.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace attestbed::tools {

/// add_snp_flags adds the flags of `attestbed vm` that only SNP guests have; each of them needs `snp`, the flag that
/// chooses them. What other guests have as well (QEMU, print, memory) is the caller's to fill in.
void add_snp_flags(CLI::App& command, CLI::Option* snp, vm::SnpLaunchOptions& into);

/// vm_snp_command shows the command line of an SNP guest, one command for a shell, with what it assumes on standard
/// error; or becomes QEMU with it, on this terminal. Returns an exit code: 0 shown, 2 wrong options, 3 this host cannot
/// start it (or a file cannot be read); after it has become QEMU, QEMU's.
///   image   directory that `attestbed image --out` wrote; empty: the working directory, or an IGVM file
///   append  further words for the kernel's command line, after ours; they are measured
int vm_snp_command(vm::SnpLaunchOptions options, const std::string& image, const std::string& append);

}  // namespace attestbed::tools
