// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/host_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tools/vm/fake_host.h"

namespace attestbed::vm {
namespace {

std::vector<std::string> names_with(const std::vector<HostCheck>& checks, CheckState state) {
  std::vector<std::string> names;
  for (const HostCheck& check : checks) {
    if (check.state == state) names.emplace_back(check.name);
  }
  return names;
}

TEST(SnpChecks, AHostWithEverythingMissesNothing) {
  FakeHost host;
  const auto checks = snp_checks(find_facts(host));
  ASSERT_EQ(checks.size(), 11U);
  for (const HostCheck& check : checks) {
    EXPECT_EQ(check.state, CheckState::ok) << check.name << ": " << check.found;
    EXPECT_EQ(check.next, "") << check.name;
    EXPECT_FALSE(check.found.empty()) << check.name;
  }
  EXPECT_TRUE(missing_for_snp(find_facts(host), SnpBoot::kernel).empty());
  EXPECT_TRUE(missing_for_snp(find_facts(host), SnpBoot::igvm).empty());
}

/// Lacking is one thing that a host lacks, and the one check that must say so.
struct Lacking {
  const char* name;
  std::function<void(FakeHost&)> change;
  const char* check;
  CheckState state;
  const char* found;  // a part of it
  const char* next;   // a part of it
};

class SnpChecksOne : public testing::TestWithParam<Lacking> {};

TEST_P(SnpChecksOne, ThingMissingIsNamedAloneWithARemedy) {
  const Lacking& lacking = GetParam();
  FakeHost host;
  lacking.change(host);
  for (const HostCheck& check : snp_checks(find_facts(host))) {
    if (check.name != std::string_view(lacking.check)) {
      EXPECT_EQ(check.state, CheckState::ok) << check.name << ": " << check.found;
      continue;
    }
    EXPECT_EQ(check.state, lacking.state);
    EXPECT_NE(check.found.find(lacking.found), std::string::npos) << check.found;
    EXPECT_NE(check.next.find(lacking.next), std::string::npos) << check.next;
  }
}

void old_kernel(FakeHost& host) {
  host.put("/proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
}
SnpPlatformStatus& status_of(FakeHost& host) {
  return *host.status;
}

const Lacking kLacking[] = {
    {"NoFunction", [](FakeHost& h) { h.functions.erase(0x8000001f); }, "processor", CheckState::missing,
     "AuthenticAMD family 25 model 1 stepping 1, no CPUID 0x8000001F", "BIOS"},
    {"NoFunctionInAGuest",
     [](FakeHost& h) {
       h.functions.erase(0x8000001f);
       h.functions[1].ecx |= 1U << 31;
     },
     "processor", CheckState::missing, "no CPUID 0x8000001F", "use the machine itself"},
    {"SevWithoutSnp", [](FakeHost& h) { h.functions[0x8000001f].eax &= ~(1U << 4); }, "processor", CheckState::missing,
     "SEV-SNP) clear", "EPYC of the 7003 series"},
    {"SwitchOff", [](FakeHost& h) { h.put("/sys/module/kvm_amd/parameters/sev_snp", "N\n"); }, "kvm-switch",
     CheckState::missing, "/sys/module/kvm_amd/parameters/sev_snp: N", "dmesg"},
    {"NoSwitch", [](FakeHost& h) { h.take("/sys/module/kvm_amd"); }, "kvm-switch", CheckState::missing, "absent",
     "modprobe kvm_amd"},
    {"NoKvm", [](FakeHost& h) { h.devices.erase("/dev/kvm"); }, "dev-kvm", CheckState::missing,
     "/dev/kvm: No such file", "modprobe kvm_amd"},
    {"KvmForbidden", [](FakeHost& h) { h.devices["/dev/kvm"] = EACCES; }, "dev-kvm", CheckState::missing,
     "/dev/kvm: Permission denied", "setfacl -m u:$USER:rw /dev/kvm"},
    {"NoSev", [](FakeHost& h) { h.devices.erase("/dev/sev"); }, "dev-sev", CheckState::missing,
     "/dev/sev: No such file", "modprobe ccp"},
    {"SevForbidden", [](FakeHost& h) { h.devices["/dev/sev"] = EACCES; }, "dev-sev", CheckState::missing,
     "/dev/sev: Permission denied", "setfacl -m u:$USER:rw /dev/sev"},
    {"NoFirmwareForOvmf", [](FakeHost& h) { h.take("/usr/share/ovmf"); }, "ovmf", CheckState::missing,
     "none of the usual", "ovmf-amdsev"},
    {"QemuWithoutIgvm", [](FakeHost& h) { h.answers[std::string(kFakeQemu) + " -object help"] = "  sev-snp-guest\n"; },
     "igvm", CheckState::missing, "does not know igvm-cfg", "--enable-igvm"},
    {"LittleMemory", [](FakeHost& h) { h.put("/proc/meminfo", "MemTotal: 1 kB\nMemAvailable: 1047552 kB\n"); },
     "memory", CheckState::missing, "1023 MiB available, expected at least 1024", "free memory"},
    {"NoMeminfo", [](FakeHost& h) { h.take("/proc/meminfo"); }, "memory", CheckState::unknown, "MemAvailable",
     "free -m"},
    {"KernelsWithoutDriver", [](FakeHost& h) { h.take("/lib/modules/6.12.38+deb13-amd64/kernel"); }, "guest-kernel",
     CheckState::missing, "neither /boot/vmlinuz-6.12.38+deb13-amd64 nor any other kernel has sev-guest",
     "./run kernel linux-image-amd64"},
    {"NoKernel", [](FakeHost& h) { h.take("/boot"); }, "guest-kernel", CheckState::missing,
     "no unpacked kernel package", "./run kernel linux-image-amd64"},
    {"FirmwareNotToBeAsked",
     [](FakeHost& h) {
       h.status = sim::Failure{Errc::io_failed, "/dev/sev: Permission denied"};
     },
     "firmware", CheckState::unknown, "/dev/sev: Permission denied", "as root"},
    {"OldFirmware", [](FakeHost& h) { status_of(h).api_minor = 49; }, "firmware", CheckState::missing,
     "SNP firmware 1.49.22, reported TCB 0xd316000000000004, older than 1.51", "update the BIOS"},
    {"FirmwareNotInitialised", [](FakeHost& h) { status_of(h).initialized = false; }, "firmware", CheckState::missing,
     "not initialised", "BIOS"},
    {"NoRmp", [](FakeHost& h) { status_of(h).rmp_initialized = false; }, "firmware", CheckState::missing,
     "not initialised", "RMP"},
    {"ReportsUnsigned", [](FakeHost& h) { status_of(h).masks_chip_key = true; }, "firmware", CheckState::missing,
     "MASK_CHIP_KEY", "clear MASK_CHIP_KEY"},
};

INSTANTIATE_TEST_SUITE_P(Each, SnpChecksOne, testing::ValuesIn(kLacking),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(SnpChecks, AnOldKernelIsFineWhereItsKvmStartsSnpGuests) {
  FakeHost host;
  old_kernel(host);
  EXPECT_TRUE(names_with(snp_checks(find_facts(host)), CheckState::missing).empty());
  host.take("/sys/module/kvm_amd");
  const auto checks = snp_checks(find_facts(host));
  EXPECT_EQ(names_with(checks, CheckState::missing), (std::vector<std::string>{"host-kernel"}));
  EXPECT_EQ(checks[1].found, "6.1.0-37-amd64, expected 6.11 (by documentation) or later");
  EXPECT_EQ(names_with(checks, CheckState::unknown), (std::vector<std::string>{"kvm-switch"}));
}

// A virtual machine, or a machine of another make: the one thing to do is not modprobe.
TEST(SnpChecks, WhatHangsOnTheProcessorIsLeftToIt) {
  FakeHost host;
  host.functions.erase(0x8000001f);
  host.take("/sys/module/kvm_amd");
  host.devices.clear();
  host.status = sim::Failure{Errc::io_failed, "/dev/sev: No such file or directory"};
  const HostFacts facts = find_facts(host);
  const auto checks = snp_checks(facts);
  EXPECT_EQ(names_with(checks, CheckState::missing), (std::vector<std::string>{"processor"}));
  EXPECT_EQ(names_with(checks, CheckState::unknown),
            (std::vector<std::string>{"kvm-switch", "dev-kvm", "dev-sev", "firmware"}));
  for (const HostCheck& check : checks) {
    if (check.state != CheckState::unknown) continue;
    const std::string first = check.name == std::string_view("firmware") ? "dev-sev" : "processor";
    EXPECT_EQ(check.next, "first " + first + ", on which this depends") << check.name;
  }
  EXPECT_EQ(names_with(missing_for_snp(facts, SnpBoot::kernel), CheckState::missing),
            (std::vector<std::string>{"processor"}));
}

TEST(SnpChecks, AFirmwareBehindAForbiddenDeviceIsLeftToTheDevice) {
  FakeHost host;
  host.devices["/dev/sev"] = EACCES;
  host.status = sim::Failure{Errc::io_failed, "/dev/sev: Permission denied"};
  const auto checks = snp_checks(find_facts(host));
  EXPECT_EQ(names_with(checks, CheckState::missing), (std::vector<std::string>{"dev-sev"}));
  EXPECT_EQ(names_with(checks, CheckState::unknown), (std::vector<std::string>{"firmware"}));
}

TEST(HostChecks, NameThePathThatSomebodyNamed) {
  FakeHost host;
  const HostFacts facts = find_facts(host, {.qemu = "/nope/qemu", .ovmf = {}, .kernels = {"/nope/kernels"}});
  const auto simulation = simulation_checks(facts), snp = snp_checks(facts);
  const auto found = [](const std::vector<HostCheck>& checks, std::string_view name) {
    const auto check = std::ranges::find(checks, name, &HostCheck::name);
    return check == checks.end() ? "no such check" : check->found;
  };
  EXPECT_EQ(found(simulation, "qemu"), "/nope/qemu: no such file");
  EXPECT_EQ(found(snp, "qemu"), "/nope/qemu: no such file");
  EXPECT_EQ(found(simulation, "kernel"), "no unpacked kernel package in /nope/kernels");
  host.take("/lib/modules");
  EXPECT_EQ(found(snp_checks(find_facts(host, {.qemu = {}, .ovmf = {}, .kernels = {"/nope/kernels"}})), "guest-kernel"),
            "no unpacked kernel package in /nope/kernels");
}

TEST(SnpChecks, AKernelThatTellsNoVersionIsJudgedByItsSwitchAlone) {
  FakeHost host;
  host.put("/proc/sys/kernel/osrelease", "mainline\n");
  for (const char* on : {"Y\n", "1\n"}) {
    host.put("/sys/module/kvm_amd/parameters/sev_snp", on);
    EXPECT_TRUE(names_with(snp_checks(find_facts(host)), CheckState::unknown).empty()) << on;
    EXPECT_TRUE(names_with(snp_checks(find_facts(host)), CheckState::missing).empty()) << on;
  }
  host.put("/sys/module/kvm_amd/parameters/sev_snp", "N\n");
  const auto checks = snp_checks(find_facts(host));
  EXPECT_TRUE(names_with(checks, CheckState::missing).empty());
  ASSERT_EQ(names_with(checks, CheckState::unknown), (std::vector<std::string>{"host-kernel", "kvm-switch"}));
  EXPECT_EQ(checks[1].found, "no version in \"mainline\"");
  EXPECT_EQ(checks[1].next, "uname -r");
}

TEST(SnpChecks, AbsentAndSilentQemusDiffer) {
  FakeHost silent;
  silent.answers.clear();
  EXPECT_EQ(names_with(snp_checks(find_facts(silent)), CheckState::unknown),
            (std::vector<std::string>{"qemu", "igvm"}));
  FakeHost absent;
  absent.take(kFakeQemu);
  EXPECT_EQ(names_with(snp_checks(find_facts(absent)), CheckState::missing), (std::vector<std::string>{"qemu"}));
}

TEST(SimulationChecks, NeedQemuAndAKernelPackageAndNothingElse) {
  FakeHost host;
  host.devices.clear();
  host.put("/packages/boot/vmlinuz-6.1.0-cloud", "");
  host.put_modules("/packages/lib/modules/6.1.0-cloud", false);
  const auto checks = simulation_checks(find_facts(host, {{}, {}, {"/packages"}}));
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_EQ(names_with(checks, CheckState::ok), (std::vector<std::string>{"qemu", "kernel"}));
  EXPECT_EQ(checks[1].found, "/packages/boot/vmlinuz-6.1.0-cloud");
  EXPECT_EQ(checks[2].name, std::string("accel"));
  EXPECT_FALSE(checks[2].required);
}

// What `./run kernel` and `./run kernel linux-image-amd64` leave: each check is cleared by its own arrow.
TEST(SimulationChecks, EachFolderOfAFetchedKernelServesItsPurpose) {
  FakeHost host;
  host.take("/boot");
  const Places places{.qemu = {}, .ovmf = {}, .kernels = {"/build/kernel", "/build/kernel-snp"}};
  const auto state = [&](const std::vector<HostCheck>& checks, std::string_view name) {
    const auto found = std::ranges::find(checks, name, &HostCheck::name);
    return found == checks.end() ? "no such check" : state_name(found->state);
  };
  host.put("/build/kernel/boot/vmlinuz-6.1.0-cloud", "");
  EXPECT_STREQ(state(simulation_checks(find_facts(host, places)), "kernel"), "missing") << "no modules";
  host.put_modules("/build/kernel/lib/modules/6.1.0-cloud", false);
  EXPECT_STREQ(state(simulation_checks(find_facts(host, places)), "kernel"), "ok");
  EXPECT_STREQ(state(snp_checks(find_facts(host, places)), "guest-kernel"), "missing");
  host.put("/build/kernel-snp/boot/vmlinuz-6.1.0", "");
  host.put_modules("/build/kernel-snp/lib/modules/6.1.0", true);
  EXPECT_STREQ(state(snp_checks(find_facts(host, places)), "guest-kernel"), "ok");
}

TEST(SimulationChecks, TheHostsOwnKernelIsNoneForAGuest) {
  FakeHost host;
  host.take(kFakeQemu);
  host.devices.clear();
  EXPECT_EQ(names_with(simulation_checks(find_facts(host)), CheckState::missing),
            (std::vector<std::string>{"qemu", "kernel", "accel"}));
}

TEST(SimulationChecks, OnlyAGuestTellsWhetherKvmIsOfUse) {
  FakeHost host;
  HostCheck accel = simulation_checks(find_facts(host)).back();
  EXPECT_EQ(accel.state, CheckState::ok);
  EXPECT_EQ(accel.found, "KVM; a tiny guest ran");
  host.probe = KvmProbe{false, "it stood still"};
  accel = simulation_checks(find_facts(host)).back();
  EXPECT_EQ(accel.state, CheckState::missing);
  EXPECT_EQ(accel.found, "TCG; it stood still");
  host.probe = sim::Failure{Errc::io_failed, "no room"};
  accel = simulation_checks(find_facts(host)).back();
  EXPECT_EQ(accel.state, CheckState::unknown);
  EXPECT_NE(accel.found.find("which proves nothing"), std::string::npos);
}

TEST(MissingForSnp, EachWayOfStartingNeedsItsOwnThings) {
  FakeHost host;
  host.take("/usr/share/ovmf");
  host.answers[std::string(kFakeQemu) + " -object help"] = "  sev-snp-guest\n";
  host.status = sim::Failure{Errc::io_failed, "not told"};  // unknown: does not keep anybody from trying
  const HostFacts facts = find_facts(host);
  EXPECT_EQ(names_with(missing_for_snp(facts, SnpBoot::kernel), CheckState::missing),
            (std::vector<std::string>{"ovmf"}));
  EXPECT_EQ(names_with(missing_for_snp(facts, SnpBoot::igvm), CheckState::missing), (std::vector<std::string>{"igvm"}));
}

}  // namespace
}  // namespace attestbed::vm
