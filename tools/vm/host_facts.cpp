// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/host_facts.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/posix/describe.h"
#include "guest/image/module_plan.h"
#include "sim/image_file.h"
#include "sim/ovmf.h"
#include "tools/vm/qemu_program.h"

namespace attestbed::vm {
namespace {

using sim::Outcome;

constexpr std::size_t kMaxProcFile = 64 * 1024;
constexpr std::uint32_t kMemoryEncryption = 0x8000001f;

/// below is where a path lies for this program: a relative one where it says, any other under the host's root.
std::string below(const HostSource& host, const std::filesystem::path& path) {
  return path.is_absolute() ? (std::filesystem::path(host.root()) / path.relative_path()).string() : path.string();
}

/// first_line of a small file, without the line feed.
std::optional<std::string> first_line(const HostSource& host, const std::string& path) {
  const auto text = posix::read_file(below(host, path), kMaxProcFile);
  if (!text) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

std::string vendor_of(const sim::CpuidValues& values) {
  std::string vendor;
  for (const std::uint32_t word : {values.ebx, values.edx, values.ecx}) {
    for (unsigned shift = 0; shift < 32; shift += 8) vendor += static_cast<char>(word >> shift & 0xffU);
  }
  return vendor;
}

Processor find_processor(HostSource& host) {
  Processor processor;
  processor.vendor = vendor_of(host.cpuid(0));
  const sim::CpuidValues basic = host.cpuid(1);
  // APM volume 3, CPUID 1 EAX: extended family and model count where the base family is 15.
  const unsigned family = basic.eax >> 8 & 0xfU;
  const bool extended = family == 0xf;
  processor.family = family + (extended ? basic.eax >> 20 & 0xffU : 0);
  processor.model = (basic.eax >> 4 & 0xfU) + (extended ? (basic.eax >> 16 & 0xfU) << 4 : 0);
  processor.stepping = basic.eax & 0xfU;
  processor.virtual_machine = (basic.ecx >> 31 & 1U) != 0;
  if (host.cpuid(0x80000000).eax >= kMemoryEncryption) {
    const sim::CpuidValues values = host.cpuid(kMemoryEncryption);
    // A function that a hypervisor hides is answered by zeros, as if it were not there.
    if (values.eax != 0 || values.ebx != 0) {
      processor.memory_encryption = MemoryEncryption{.sev = (values.eax >> 1 & 1U) != 0,
                                                     .sev_es = (values.eax >> 3 & 1U) != 0,
                                                     .sev_snp = (values.eax >> 4 & 1U) != 0,
                                                     .cbit_position = values.ebx & 0x3fU,
                                                     .reduced_phys_bits = values.ebx >> 6 & 0x3fU,
                                                     .guests = values.ecx};
    }
  }
  return processor;
}

std::optional<std::uint64_t> find_memory_mib(const HostSource& host) {
  const auto text = posix::read_file(below(host, "/proc/meminfo"), kMaxProcFile);
  if (!text) return std::nullopt;
  constexpr std::string_view kField = "\nMemAvailable:";
  const std::size_t at = text->find(kField);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t digits = text->find_first_not_of(' ', at + kField.size());
  if (digits == std::string::npos) return std::nullopt;
  std::uint64_t kib = 0;
  const auto read = std::from_chars(text->data() + digits, text->data() + text->size(), kib);
  if (read.ec != std::errc()) return std::nullopt;
  return kib / 1024;
}

/// lists a word on a line of its own, as `-object help` does.
bool lists(const std::string& text, const std::string& word) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t first = text.find_first_not_of(' ', begin);
    if (first < end && text.substr(first, end - first) == word) return true;
    begin = end + 1;
  }
  return false;
}

bool is_file(const HostSource& host, const std::string& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(below(host, path), failed);
}

QemuFacts ask_qemu(HostSource& host, const std::string& chosen) {
  QemuFacts qemu;
  qemu.named = chosen;
  qemu.path = find_qemu(chosen, host.root()).value_or("");
  if (qemu.path.empty()) return qemu;
  if (const auto version = host.run({qemu.path, "--version"})) qemu.version = version_in(*version);
  if (const auto objects = host.run({qemu.path, "-object", "help"})) {
    qemu.knows_snp = lists(*objects, "sev-snp-guest");
    qemu.knows_igvm = lists(*objects, "igvm-cfg");
  }
  return qemu;
}

/// complaint_about a firmware: empty if it can start a kernel that is measured in an SNP guest.
std::string complaint_about(const HostSource& host, const std::string& path) {
  const auto octets = posix::read_file(below(host, path), sim::kMaxOvmfBytes);
  if (!octets) return sim::failure_at(path, octets.error()).text;
  const auto ovmf = sim::parse_ovmf(sim::ImageFile(path, bytes_of(*octets)));
  if (!ovmf) return ovmf.error().text;
  for (const sim::OvmfSection& section : ovmf->sections) {
    if (section.type == sim::OvmfSectionType::kernel_hashes && ovmf->hash_table_gpa) return {};
  }
  return path + ": expected a table for kernel hashes, found none: this firmware would start any kernel";
}

OvmfFacts find_ovmf(const HostSource& host, const std::string& chosen) {
  OvmfFacts facts;
  const std::vector<std::string> paths = chosen.empty() ? kOvmfPaths : std::vector<std::string>{chosen};
  for (const std::string& path : paths) {
    if (chosen.empty() && !is_file(host, path)) continue;
    const std::string complaint = complaint_about(host, path);
    if (complaint.empty()) return {path, {}};
    if (facts.complaint.empty()) facts.complaint = complaint;
  }
  if (facts.complaint.empty()) facts.complaint = "none of the usual paths has OVMF's AmdSev build";
  return facts;
}

/// Entries of a directory, sorted; none if it cannot be read. More than kMaxEntries are none of ours.
constexpr std::size_t kMaxEntries = 1024;
std::vector<std::string> entries_of(const HostSource& host, const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(below(host, directory), failed);
       !failed && entry != std::filesystem::directory_iterator() && names.size() < kMaxEntries;
       entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// add_kernel asks what makes images, so that no kernel is praised here and refused there.
void add_kernel(const HostSource& host, const std::string& root, std::vector<GuestKernel>& kernels) {
  const std::string folder = (std::filesystem::path(root) / "boot").string();
  std::error_code failed;
  if (!std::filesystem::is_directory(below(host, folder), failed)) return;
  GuestKernel kernel{.path = folder, .has_sev_guest = false, .of_host = root == "/", .complaint = {}};
  const auto tree = guest::KernelTree::open(below(host, root));
  if (!tree) {
    kernel.complaint = tree.error().text;
  } else if (const auto plan = guest::plan_modules(*tree, {guest::When::snp}); !plan) {
    kernel.complaint = plan.error().text;
  } else {
    kernel.path = folder + "/" + std::filesystem::path(tree->kernel()).filename().string();
    kernel.has_sev_guest = plan->unserved.empty();
  }
  kernels.push_back(std::move(kernel));
}

std::vector<GuestKernel> find_kernels(const HostSource& host, const std::vector<std::string>& directories) {
  std::vector<GuestKernel> kernels;
  for (const std::string& directory : directories) {
    add_kernel(host, directory, kernels);
    for (const std::string& name : entries_of(host, directory)) add_kernel(host, directory + "/" + name, kernels);
  }
  add_kernel(host, "/", kernels);
  return kernels;
}

}  // namespace

const std::vector<std::string> kOvmfPaths = {
    "/usr/share/ovmf/OVMF.amdsev.fd",        // Debian, Ubuntu: package ovmf-amdsev, ovmf
    "/usr/share/edk2/ovmf/OVMF.amdsev.fd",   // Fedora, RHEL: package edk2-ovmf
    "/usr/share/qemu/ovmf-x86_64-sev.bin",   // SUSE: package qemu-ovmf-x86_64
    "/usr/local/share/ovmf/OVMF.amdsev.fd",  // built by hand
};

std::optional<Version> version_in(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  const char* const end = text.data() + text.size();
  std::size_t at = text.find_first_of(kDigits);
  while (at != std::string_view::npos) {
    Version version;
    const auto major = std::from_chars(text.data() + at, end, version.major);
    if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.' &&
        std::from_chars(major.ptr + 1, end, version.minor).ec == std::errc()) {
      return version;
    }
    at = text.find_first_of(kDigits, std::min(text.find_first_not_of(kDigits, at), text.size()));
  }
  return std::nullopt;
}

HostFacts find_facts(HostSource& host, const Places& places) {
  HostFacts facts;
  facts.processor = find_processor(host);
  facts.kernel_release = first_line(host, "/proc/sys/kernel/osrelease").value_or("");
  facts.kvm_snp_switch = first_line(host, "/sys/module/kvm_amd/parameters/sev_snp");
  facts.dev_kvm = host.open_device("/dev/kvm");
  facts.dev_sev = host.open_device("/dev/sev");
  facts.qemu = ask_qemu(host, places.qemu);
  facts.ovmf = find_ovmf(host, places.ovmf);
  facts.memory_mib = find_memory_mib(host);
  facts.firmware = host.snp_platform_status();
  facts.kernel_places = places.kernels;
  facts.kernels = find_kernels(host, places.kernels);
  if (facts.dev_kvm && !facts.qemu.path.empty()) {
    if (auto probe = host.probe_kvm(facts.qemu.path)) facts.kvm_probe = *std::move(probe);
  }
  return facts;
}

}  // namespace attestbed::vm
