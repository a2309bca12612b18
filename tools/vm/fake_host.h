// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a host that has everything for SNP guests, and from which a test takes things away.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/posix/describe.h"
#include "guest/image/image_fixture.h"
#include "tools/launch/scratch_dir.h"
#include "tools/vm/host_source.h"

namespace attestbed::vm {

inline constexpr char kFakeQemu[] = "/usr/bin/qemu-system-x86_64";
inline constexpr char kFakeOvmf[] = "/usr/share/ovmf/OVMF.amdsev.fd";

/// FakeHost is an EPYC 7003 with Linux 6.12, QEMU 10.1 and OVMF's AmdSev build. CPUID is what `cpuid -r` prints on such
/// a machine, QEMU's answers are those of Debian's 10.0.2 (with 10.1 for the number, and igvm-cfg), the firmware is the
/// end of a real one.
class FakeHost final : public HostSource {
 public:
  FakeHost() {
    functions[0] = {0x10, 0x68747541, 0x444d4163, 0x69746e65};
    functions[1] = {0x00a00f11, 0x00800800, 0x7efa320b, 0x178bfbff};
    functions[0x80000000] = {0x80000023, 0x68747541, 0x444d4163, 0x69746e65};
    functions[0x8000001f] = {0x0101fd3f, 0x00004173, 0x000001fd, 0x00000080};
    put("/proc/sys/kernel/osrelease", "6.12.38+deb13-amd64\n");
    put("/proc/meminfo", "MemTotal:       263764796 kB\nMemFree:        250000000 kB\nMemAvailable:   251658240 kB\n");
    put("/sys/module/kvm_amd/parameters/sev_snp", "Y\n");
    put("/boot/vmlinuz-6.12.38+deb13-amd64", "");
    put_modules("/lib/modules/6.12.38+deb13-amd64", true);
    put_program(kFakeQemu);
    const auto ovmf = posix::read_file(ATTESTBED_SOURCE_DIR "/sim/testdata/ovmf-amdsev-suffix.bin", 4096);
    put(kFakeOvmf, ovmf ? *ovmf : "");
    answers[std::string(kFakeQemu) + " --version"] =
        "QEMU emulator version 10.1.0 (Debian 1:10.1.0+ds-1)\nCopyright (c) 2003-2025 Fabrice Bellard and the QEMU "
        "Project developers\n";
    answers[std::string(kFakeQemu) + " -object help"] =
        "List of user creatable objects:\n  igvm-cfg\n  memory-backend-memfd\n  sev-guest\n  sev-snp-guest\n";
  }

  std::string path_of(const std::string& path) const { return directory_->path() + path; }
  void put(const std::string& path, const std::string& octets) const {
    std::filesystem::create_directories(std::filesystem::path(path_of(path)).parent_path());
    std::ofstream(path_of(path), std::ios::binary) << octets;
  }
  /// put_modules makes a kernel's folder of modules, one of them sev-guest or none.
  void put_modules(const std::string& folder, bool sev_guest, const std::string& builtin = "") const {
    put(folder + "/modules.builtin", builtin);
    if (!sev_guest) return;
    put(folder + "/kernel/drivers/virt/coco/sev-guest/sev-guest.ko",
        guest::elf_module(guest::modinfo("sev-guest", "")));
  }
  void put_program(const std::string& path) const {
    put(path, "");
    std::filesystem::permissions(path_of(path), std::filesystem::perms::owner_all);
  }
  void take(const std::string& path) const { std::filesystem::remove_all(path_of(path)); }

  std::string root() const override { return directory_->path(); }
  sim::CpuidValues cpuid(std::uint32_t function) override {
    const auto found = functions.find(function);
    return found == functions.end() ? sim::CpuidValues{} : found->second;
  }
  Opened open_device(const std::string& path) override {
    const auto found = devices.find(path);
    return {found == devices.end() ? ENOENT : found->second};
  }
  sim::Outcome<SnpPlatformStatus> snp_platform_status() override { return status; }
  sim::Outcome<std::string> run(const std::vector<std::string>& argv) override {
    std::string line;
    for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
    const auto found = answers.find(line);
    if (found == answers.end()) return sim::Failure{Errc::deadline, "no answer"};
    return found->second;
  }

  sim::Outcome<KvmProbe> probe_kvm(const std::string&) override { return probe; }

  std::map<std::uint32_t, sim::CpuidValues> functions;
  std::map<std::string, int> devices = {{"/dev/kvm", 0}, {"/dev/sev", 0}};
  std::map<std::string, std::string> answers;
  sim::Outcome<SnpPlatformStatus> status = SnpPlatformStatus{.api_major = 1,
                                                             .api_minor = 55,
                                                             .build = 22,
                                                             .initialized = true,
                                                             .rmp_initialized = true,
                                                             .current_tcb = 0xd316000000000004,
                                                             .reported_tcb = 0xd316000000000004};
  sim::Outcome<KvmProbe> probe = KvmProbe{true, "a tiny guest ran"};

 private:
  launch::Outcome<launch::ScratchDir> directory_ = launch::ScratchDir::make();
};

}  // namespace attestbed::vm
