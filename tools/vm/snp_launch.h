// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/vm/host_facts.h"
#include "tools/vm/snp_command.h"

namespace attestbed::vm {

/// What an SNP guest of ours is started with: words for attest-guest, and unless somebody names another, a socket
/// beside the files that `attestbed image` writes.
inline constexpr char kSnpCom3Socket[] = "com3.sock";
inline constexpr char kSnpAppend[] =
    "console=ttyS0 quiet panic=-1 attest.transport=com3 attest.firmware=sev-guest attest.secret_auth=none";

/// SnpLaunchOptions is what people say about an SNP guest; paths are those of files.
///   print          the command line is only shown: what this host lacks is assumed, and said
///   qemu, ovmf     empty: what this host has
///   kernel, initrd both or neither; empty: those of an image in the working directory
///   append         further words for the kernel's command line, after kSnpAppend; they are measured
///   igvm           instead of ovmf, kernel, initrd and append
///   host_data      32 octets as base64; empty: zeros
///   id_block       files of 96 and 4096 octets, as `snp-sim id-block` makes them; both or neither
///   console        "stdio", or a file for COM1
///   com3_socket    the proxy's --unix-serial
struct SnpLaunchOptions {
  bool print = false;
  std::string qemu, ovmf;
  std::string kernel, initrd, append;
  std::string igvm;
  unsigned vcpus = 1;
  unsigned memory_mib = 512;
  std::string cpu_model = kSnpCpuModel;
  std::uint64_t policy = kSnpPolicy;
  std::string host_data, id_block, id_auth;
  bool author_key_enabled = false;
  std::string console = "stdio";
  std::string com3_socket = kSnpCom3Socket;
  std::vector<std::string> more;
};

/// SnpLaunch is a command line and what it takes for granted: one line of text each, none unless it was only to be
/// shown.
struct SnpLaunch {
  std::vector<std::string> argv;
  std::vector<std::string> assumptions;
};

/// plan_snp_launch makes the command line for the host of `facts`; shell_command() of qemu_words.h makes it readable.
///   errors  bad_config, io_failed and too_large about the options and the files that they name; snp_unavailable with
///           everything that the host lacks, unless the command line is only to be shown
sim::Outcome<SnpLaunch> plan_snp_launch(const SnpLaunchOptions& options, const HostFacts& facts);

/// The same for this host.
sim::Outcome<SnpLaunch> plan_snp_launch(const SnpLaunchOptions& options);

}  // namespace attestbed::vm
