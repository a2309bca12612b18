// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/host_checks.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "sim/image_file.h"

namespace attestbed::vm {
namespace {

constexpr std::uint64_t kLittleMemoryMib = 1024;  // a small guest, QEMU and the host's own need

std::string text_of(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::string reason(const Opened& opened) {
  return std::system_category().message(opened.error);
}

HostCheck ok(const char* name, std::string found) {
  return {name, true, CheckState::ok, std::move(found), {}};
}
HostCheck missing(const char* name, std::string found, std::string next) {
  return {name, true, CheckState::missing, std::move(found), std::move(next)};
}
HostCheck unknown(const char* name, std::string found, std::string next) {
  return {name, true, CheckState::unknown, std::move(found), std::move(next)};
}

std::string described(const Processor& processor) {
  return processor.vendor + " family " + std::to_string(processor.family) + " model " +
         std::to_string(processor.model) + " stepping " + std::to_string(processor.stepping);
}

HostCheck processor_check(const Processor& processor) {
  constexpr const char* kName = "processor";
  const std::string who = described(processor);
  if (!processor.memory_encryption) {
    return missing(kName, who + ", no CPUID 0x8000001F",
                   processor.virtual_machine
                       ? "use the machine itself: a guest has no SEV-SNP of its own, whatever its processor is"
                       : "use an EPYC of the 7003 series or later; with one, enable SMEE and SEV-SNP in the BIOS");
  }
  const MemoryEncryption& encryption = *processor.memory_encryption;
  const std::string layout = who + ", C-bit " + std::to_string(encryption.cbit_position) + ", " +
                             std::to_string(encryption.reduced_phys_bits) + " physical address bits fewer, " +
                             std::to_string(encryption.guests) + " encrypted guests";
  if (!encryption.sev_snp) {
    return missing(kName, layout + ", CPUID 0x8000001F EAX bit 4 (SEV-SNP) clear",
                   "use an EPYC of the 7003 series or later; with one, enable SMEE and SEV-SNP in the BIOS");
  }
  return ok(kName, layout + ", SEV-SNP");
}

// The kernel shows a parameter of type bool as Y or N, and one of type int as a number; either counts.
bool is_on(const std::optional<std::string>& parameter) {
  return parameter == "Y" || parameter == "1";
}

HostCheck kernel_check(const HostFacts& facts) {
  constexpr const char* kName = "host-kernel";
  const auto version = version_in(facts.kernel_release);
  // Distributions carry SNP back to older kernels: KVM's switch is the better witness.
  if (is_on(facts.kvm_snp_switch)) return ok(kName, facts.kernel_release + ", whose KVM starts SNP guests");
  if (!version) return unknown(kName, "no version in \"" + facts.kernel_release + "\"", "uname -r");
  if (*version >= kSnpHostKernel) return ok(kName, facts.kernel_release);
  return missing(kName, facts.kernel_release + ", expected " + text_of(kSnpHostKernel) + " (by documentation) or later",
                 "apt-get install -t bookworm-backports linux-image-amd64   # then reboot");
}

HostCheck switch_check(const HostFacts& facts) {
  constexpr const char* kName = "kvm-switch";
  constexpr char kPath[] = "/sys/module/kvm_amd/parameters/sev_snp";
  if (!facts.kvm_snp_switch) {
    return missing(kName, std::string(kPath) + ": absent", "modprobe kvm_amd sev=1 sev_es=1 sev_snp=1");
  }
  const std::string found = std::string(kPath) + ": " + *facts.kvm_snp_switch;
  if (is_on(facts.kvm_snp_switch)) return ok(kName, found);
  return missing(
      kName, found,
      "dmesg | grep -iE 'sev|rmp'   # then, with SNP enabled in the BIOS and iommu not off: modprobe -r kvm_amd "
      "&& modprobe kvm_amd sev_snp=1");
}

HostCheck device_check(const char* name, const std::string& path, const Opened& opened, const std::string& absent) {
  if (opened) return ok(name, path + " opens");
  const std::string found = path + ": " + reason(opened);
  if (opened.error == EACCES || opened.error == EPERM) {
    return missing(name, found, "run as root, or: setfacl -m u:$USER:rw " + path);
  }
  return missing(name, found, absent);
}

std::string no_qemu(const QemuFacts& qemu) {
  return qemu.named.empty() ? "no qemu-system-x86_64" : qemu.named + ": no such file";
}

HostCheck qemu_check(const QemuFacts& qemu) {
  constexpr const char* kName = "qemu";
  const std::string next =
      "install QEMU " + text_of(kSnpQemu) + " or later: apt-get install -t bookworm-backports qemu-system-x86";
  if (qemu.path.empty()) return missing(kName, no_qemu(qemu), next);
  const std::string found = qemu.path + ", version " + (qemu.version ? text_of(*qemu.version) : "not told");
  if (!qemu.knows_snp) return unknown(kName, found + ", and no answer to -object help", qemu.path + " -object help");
  if (*qemu.knows_snp) return ok(kName, found + ", knows sev-snp-guest");
  return missing(kName, found + ", does not know sev-snp-guest", next);
}

HostCheck ovmf_check(const OvmfFacts& ovmf) {
  constexpr const char* kName = "ovmf";
  if (!ovmf.path.empty()) return ok(kName, ovmf.path + ", with SEV metadata and a table for kernel hashes");
  return missing(kName, ovmf.complaint,
                 "install OVMF's AmdSev build at " + kOvmfPaths.front() +
                     " (Debian: ovmf-amdsev; Fedora: edk2-ovmf), or "
                     "name it with --ovmf");
}

HostCheck igvm_check(const QemuFacts& qemu) {
  HostCheck check{"igvm", false, CheckState::unknown, "no QEMU that answers", {}};
  if (qemu.knows_igvm) {
    check.state = *qemu.knows_igvm ? CheckState::ok : CheckState::missing;
    check.found = qemu.path + (*qemu.knows_igvm ? " reads IGVM files" : " does not know igvm-cfg");
  }
  if (check.state != CheckState::ok) {
    check.next = "for COCONUT-SVSM only: build QEMU " + text_of(kIgvmQemu) + " or later with --enable-igvm";
  }
  return check;
}

HostCheck memory_check(const HostFacts& facts) {
  constexpr const char* kName = "memory";
  if (!facts.memory_mib) return unknown(kName, "no MemAvailable in /proc/meminfo", "free -m");
  const std::string found = std::to_string(*facts.memory_mib) + " MiB available";
  if (*facts.memory_mib >= kLittleMemoryMib) return ok(kName, found);
  return missing(kName, found + ", expected at least " + std::to_string(kLittleMemoryMib),
                 "free memory: a guest's is allocated as it is touched, and never shared");
}

HostCheck firmware_check(const HostFacts& facts) {
  constexpr const char* kName = "firmware";
  if (!facts.firmware) {
    // Who cannot open the device is told so by its own check.
    return unknown(kName, facts.firmware.error().text, "as root: attestbed doctor --for snp");
  }
  const SnpPlatformStatus& status = *facts.firmware;
  const Version api{status.api_major, status.api_minor};
  std::string found = "SNP firmware " + text_of(api) + "." + std::to_string(status.build) + ", reported TCB " +
                      sim::hex_number(status.reported_tcb);
  if (status.masks_chip_id) found += ", masks CHIP_ID";
  if (status.masks_chip_key) found += ", signs no reports (MASK_CHIP_KEY)";
  if (status.has_vlek) found += ", has a VLEK";
  if (api < kSnpFirmwareApi) {
    return missing(kName, found + ", older than " + text_of(kSnpFirmwareApi),
                   "update the BIOS, or install linux-firmware's newer amd/amd_sev_*.sbin and reboot");
  }
  if (!status.initialized || !status.rmp_initialized) {
    return missing(kName, found + ", not initialised",
                   "dmesg | grep -iE 'sev|rmp'   # then enable SEV-SNP and RMP coverage in the BIOS");
  }
  if (status.masks_chip_key) {
    return missing(kName, found,
                   "clear MASK_CHIP_KEY: snphost config set   # a report without a signature proves nothing");
  }
  return ok(kName, found);
}

/// no_kernel says where there is none, of the places that are searched beside the host's own.
std::string no_kernel(const HostFacts& facts) {
  std::string places;
  for (const std::string& place : facts.kernel_places) places += (places.empty() ? " in " : ", ") + place;
  return "no unpacked kernel package" + places;
}

HostCheck guest_kernel_check(const HostFacts& facts) {
  constexpr const char* kName = "guest-kernel";
  for (const GuestKernel& kernel : facts.kernels) {
    if (kernel.has_sev_guest) return ok(kName, kernel.path + ", with sev-guest");
  }
  // Of this host's own kernels nobody is told who named a folder in which there is none.
  const bool only_of_host = std::ranges::all_of(facts.kernels, &GuestKernel::of_host);
  std::string found = facts.kernels.empty() || (only_of_host && !facts.kernel_places.empty())
                          ? no_kernel(facts)
                          : "neither " + facts.kernels.front().path + " nor any other kernel has sev-guest";
  for (const GuestKernel& kernel : facts.kernels) {
    if (!kernel.of_host && !kernel.complaint.empty()) found = kernel.complaint;
  }
  return missing(
      kName, std::move(found),
      "./run kernel linux-image-amd64   # into build/kernel-snp; or name another tree with --kernels: the cloud kernel "
      "6.1 lacks the driver");
}

HostCheck simulation_qemu_check(const QemuFacts& qemu) {
  constexpr const char* kName = "qemu";
  if (qemu.path.empty()) return missing(kName, no_qemu(qemu), "./run deps   # or: apt-get install qemu-system-x86");
  if (!qemu.version) return unknown(kName, qemu.path + ", which does not tell its version", qemu.path + " --version");
  return ok(kName, qemu.path + ", version " + text_of(*qemu.version));
}

/// simulation_kernel_check leaves out the host's own kernels: nothing boots those without being told.
HostCheck simulation_kernel_check(const HostFacts& facts) {
  constexpr const char* kName = "kernel";
  for (const GuestKernel& kernel : facts.kernels) {
    if (!kernel.of_host && kernel.complaint.empty()) return ok(kName, kernel.path);
  }
  for (const GuestKernel& kernel : facts.kernels) {
    if (!kernel.of_host) return missing(kName, kernel.complaint, "./run kernel   # or name a directory with --kernels");
  }
  return missing(kName, no_kernel(facts), "./run kernel   # or name a directory with --kernels");
}

/// accel_check: a /dev/kvm that opens may belong to a KVM that runs no guest of ours, so only a guest can tell.
HostCheck accel_check(const HostFacts& facts) {
  constexpr char kNext[] = "nothing: TCG works everywhere, only slower";
  HostCheck check{"accel", false, CheckState::missing, {}, kNext};
  if (!facts.dev_kvm) {
    check.found = "TCG; /dev/kvm: " + reason(facts.dev_kvm);
  } else if (!facts.kvm_probe) {
    check.state = CheckState::unknown;
    check.found = "/dev/kvm opens, which proves nothing, and no guest could be started to try it";
  } else if (!facts.kvm_probe->runs) {
    check.found = "TCG; " + facts.kvm_probe->reason;
  } else {
    check.state = CheckState::ok;
    check.found = "KVM; " + facts.kvm_probe->reason;
    check.next.clear();
  }
  return check;
}

/// Dependency is a check that nothing can be done about before another one is ok.
struct Dependency {
  std::string_view check, first;
};
// Of two, the later one is named: it comes before the other.
constexpr Dependency kDependencies[] = {
    {"kvm-switch", "host-kernel"}, {"kvm-switch", "processor"}, {"dev-kvm", "processor"},
    {"dev-sev", "processor"},      {"firmware", "dev-sev"},
};

/// leave_to_first has one cause be missing once: what hangs on it is unknown, and what to do stands there alone.
void leave_to_first(std::vector<HostCheck>& checks) {
  for (const Dependency& dependency : kDependencies) {
    const auto first = std::ranges::find(checks, dependency.first, &HostCheck::name);
    const auto check = std::ranges::find(checks, dependency.check, &HostCheck::name);
    if (first->state == CheckState::ok || check->state == CheckState::ok) continue;
    check->state = CheckState::unknown;
    check->next = "first " + std::string(dependency.first) + ", on which this depends";
  }
}

}  // namespace

const char* state_name(CheckState state) {
  switch (state) {
    case CheckState::ok:
      return "ok";
    case CheckState::missing:
      return "missing";
    case CheckState::unknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<HostCheck> snp_checks(const HostFacts& facts) {
  std::vector<HostCheck> checks = {
      processor_check(facts.processor),
      kernel_check(facts),
      switch_check(facts),
      device_check("dev-kvm", "/dev/kvm", facts.dev_kvm, "modprobe kvm_amd   # with SVM enabled in the BIOS"),
      device_check("dev-sev", "/dev/sev", facts.dev_sev, "modprobe ccp   # with SEV enabled in the BIOS"),
      qemu_check(facts.qemu),
      ovmf_check(facts.ovmf),
      igvm_check(facts.qemu),
      memory_check(facts),
      firmware_check(facts),
      guest_kernel_check(facts),
  };
  leave_to_first(checks);
  return checks;
}

std::vector<HostCheck> simulation_checks(const HostFacts& facts) {
  return {simulation_qemu_check(facts.qemu), simulation_kernel_check(facts), accel_check(facts)};
}

std::vector<HostCheck> missing_for_snp(const HostFacts& facts, SnpBoot boot) {
  std::vector<HostCheck> missing;
  for (HostCheck& check : snp_checks(facts)) {
    const std::string_view name = check.name;
    if (name == "guest-kernel") continue;  // the caller has one
    const bool needed = name == "igvm"   ? boot == SnpBoot::igvm
                        : name == "ovmf" ? boot == SnpBoot::kernel
                                         : check.required;
    if (needed && check.state == CheckState::missing) missing.push_back(std::move(check));
  }
  return missing;
}

}  // namespace attestbed::vm
