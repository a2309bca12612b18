// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "sim/failure.h"

namespace attestbed::vm {

/// The defaults of an SNP guest. EPYC-v4 is a fixed processor model, because its signature is in every VMSA and so in
/// the launch digest. A host's C-bit is CPUID 0x8000001F EBX[5:0]; 51 is what public launchers and today's processors
/// have.
inline constexpr char kSnpCpuModel[] = "EPYC-v4";
inline constexpr std::uint64_t kSnpPolicy = 0x30000;  // SMT allowed, and the bit that must be one
inline constexpr unsigned kUsualCbitPosition = 51;

/// kReducedPhysBits is how many address bits the *guest* loses to encryption, the C-bit itself: one, whatever the host
/// lost (CPUID 0x8000001F EBX[11:6]); so have libvirt and every public launcher of SNP guests.
inline constexpr unsigned kReducedPhysBits = 1;

inline constexpr unsigned kMaxSnpVcpus = 255;  // of q35 without interrupt remapping
inline constexpr unsigned kMinSnpMemoryMib = 256, kMaxSnpMemoryMib = 1U << 20;

/// DirectBoot: OVMF's AmdSev build starts a kernel that the host hands over, after comparing it, its initial RAM disk
/// and its command line with hashes that are in the launch digest. `initrd` may be empty.
struct DirectBoot {
  std::string ovmf, kernel, initrd, append;
};

/// IgvmBoot: an IGVM file has firmware, first registers and policy, as COCONUT-SVSM's has.
struct IgvmBoot {
  std::string igvm;
};

/// Reconnect is how a QEMU spells that a socket is tried again every second until somebody listens.
///   seconds       reconnect=1: until 10.1 (QEMU 10.2 has removed it)
///   milliseconds  reconnect-ms=1000: since 9.2
enum class Reconnect : std::uint8_t { seconds, milliseconds };

/// SnpCommand is one SNP guest.
///   host_data    HOST_DATA, 32 octets as base64; empty: zeros
///   id_block     ID_BLOCK and ID_AUTH, 96 and 4096 octets as base64; both or neither
///   console      COM1: "stdio", or a file that is written; COM2 is nothing
///   com3_socket  unix socket of the proxy; QEMU keeps trying until it is there
///   more         further words for QEMU, handed over as they are
struct SnpCommand {
  std::string qemu;
  std::variant<DirectBoot, IgvmBoot> boot;
  unsigned vcpus = 1;
  unsigned memory_mib = 512;
  std::string cpu_model = kSnpCpuModel;
  std::uint64_t policy = kSnpPolicy;
  unsigned cbit_position = kUsualCbitPosition;
  std::string host_data, id_block, id_auth;
  bool author_key_enabled = false;
  std::string console = "stdio";
  std::string com3_socket;
  Reconnect reconnect = Reconnect::milliseconds;
  std::vector<std::string> more;
};

/// snp_argv is the command line of QEMU 9.1 or later for this guest; an IGVM file needs 10.1 built with libigvm. The
/// files need not exist.
///   errors  bad_config, naming the value, what is allowed and what was found. Refused besides what has a bound or a
///           format: a policy without bit 17 or with bits above 25; an ID block for another policy; an ID block or a
///           policy beside an IGVM file, which brings its own; a processor model whose signature is not known, since no
///           launch digest could be computed
sim::Outcome<std::vector<std::string>> snp_argv(const SnpCommand& guest);

}  // namespace attestbed::vm
