// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vm/host_source.h"

namespace attestbed::vm {

/// MemoryEncryption is CPUID 0x8000001F (APM volume 3, "Encrypted Memory Capabilities"): EAX bits 1, 3 and 4, EBX[5:0],
/// EBX[11:6], and ECX, the number of encrypted guests at a time.
struct MemoryEncryption {
  bool sev = false, sev_es = false, sev_snp = false;
  unsigned cbit_position = 0, reduced_phys_bits = 0;
  std::uint32_t guests = 0;
};

struct Processor {
  std::string vendor;  // "AuthenticAMD"
  unsigned family = 0, model = 0, stepping = 0;
  bool virtual_machine = false;  // CPUID 1 ECX bit 31: this host is a guest itself
  std::optional<MemoryEncryption> memory_encryption;
};

/// Version is what a version text begins with: "6.18.44-fc" is 6, 18.
struct Version {
  unsigned major = 0, minor = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// QemuFacts: `path` is empty if no QEMU was found; `named` is what somebody chose. The two booleans are absent if it
/// did not answer.
struct QemuFacts {
  std::string named, path;
  std::optional<Version> version;
  std::optional<bool> knows_snp, knows_igvm;
};

/// OvmfFacts: `path` is empty if no firmware was found that can start a kernel measured in an SNP guest; `complaint`
/// then says what was found instead.
struct OvmfFacts {
  std::string path;
  std::string complaint;
};

/// GuestKernel is a kernel package as `attestbed image --kernel` takes it, whether it has the driver sev-guest, and
/// whether it is what this host itself boots.
///   path       of the kernel; of the folder where there is none to take
///   complaint  why no image can be made of it; empty if one can
struct GuestKernel {
  std::string path;
  bool has_sev_guest = false, of_host = false;
  std::string complaint;
};

/// HostFacts is what was found on a host. Nothing is judged here.
///   kvm_snp_switch  /sys/module/kvm_amd/parameters/sev_snp, absent where there is no such file
///   memory_mib      MemAvailable of /proc/meminfo
///   kvm_probe       absent if /dev/kvm cannot be opened, there is no QEMU, or the probe could not be made
///   firmware        SNP_PLATFORM_STATUS, or why there is none
///   kernel_places   where kernels were looked for, beside the host's own
struct HostFacts {
  Processor processor;
  std::string kernel_release;
  std::optional<std::string> kvm_snp_switch;
  Opened dev_kvm, dev_sev;
  QemuFacts qemu;
  OvmfFacts ovmf;
  std::optional<std::uint64_t> memory_mib;
  sim::Outcome<SnpPlatformStatus> firmware = sim::Failure{};
  std::vector<std::string> kernel_places;
  std::vector<GuestKernel> kernels;
  std::optional<KvmProbe> kvm_probe;
};

/// Places are where to look; where empty, the first of the usual paths that has one.
///   kernels  directories with unpacked kernel packages: boot/vmlinuz-RELEASE and lib/modules/RELEASE in one of them,
///   or
///            in its directories; besides them, the host's own kernels are found
struct Places {
  std::string qemu, ovmf;
  std::vector<std::string> kernels;
};

/// kOvmfPaths are where distributions put OVMF's AmdSev build; the first is Debian's.
extern const std::vector<std::string> kOvmfPaths;

/// find_facts asks `host`. Takes no longer than three calls of QEMU that answer nothing, 5 s each.
HostFacts find_facts(HostSource& host, const Places& places = {});

/// version_in finds the first "N.N" of a text.
std::optional<Version> version_in(std::string_view text);

}  // namespace attestbed::vm
