// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/snp_launch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/vm/fake_host.h"

namespace attestbed::vm {
namespace {

SnpLaunchOptions options() {
  SnpLaunchOptions chosen;
  // Any files that are there: nobody starts them.
  chosen.kernel = "/proc/self/exe";
  chosen.initrd = "/proc/self/maps";
  chosen.append = "debug";
  chosen.com3_socket = "/run/com3.sock";
  return chosen;
}

bool has(const SnpLaunch& launch, const std::string& part) {
  return std::ranges::any_of(launch.argv,
                             [&](const std::string& word) { return word.find(part) != std::string::npos; });
}

/// make_ordinary leaves what most people have: Debian 12 on a processor without the function.
void make_ordinary(FakeHost& host) {
  host.functions.erase(0x8000001f);
  host.take("/usr/share/ovmf");
  host.take("/sys/module/kvm_amd");
  host.devices.clear();
  host.put("/proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
  host.answers[std::string(kFakeQemu) + " --version"] = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\n";
  host.answers[std::string(kFakeQemu) + " -object help"] = "  sev-guest\n";
}

TEST(SnpLaunch, AnSnpHostAssumesNothing) {
  FakeHost host;
  host.functions[0x8000001f].ebx = 0x416f;  // C-bit 47, as on the first EPYC
  for (const bool print : {false, true}) {
    SnpLaunchOptions chosen = options();
    chosen.print = print;
    const auto launch = plan_snp_launch(chosen, find_facts(host));
    ASSERT_TRUE(launch) << launch.error().text;
    EXPECT_TRUE(launch->assumptions.empty()) << launch->assumptions.front();
    EXPECT_EQ(launch->argv.front(), kFakeQemu);
    EXPECT_TRUE(has(*launch, ",cbitpos=47,reduced-phys-bits=1,"));
    EXPECT_TRUE(has(*launch, kFakeOvmf));
    EXPECT_TRUE(has(*launch, "reconnect-ms=1000"));
    EXPECT_TRUE(has(*launch, "attest.transport=com3 attest.firmware=sev-guest attest.secret_auth=none debug"));
  }
}

TEST(SnpLaunch, Qemu91HasTheOldSpellingOfReconnect) {
  FakeHost host;
  host.answers[std::string(kFakeQemu) + " --version"] = "QEMU emulator version 9.1.2\n";
  const auto launch = plan_snp_launch(options(), find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  EXPECT_TRUE(has(*launch, "reconnect=1"));
}

TEST(SnpLaunch, AnOrdinaryHostPrintsWithItsAssumptionsSaid) {
  FakeHost host;
  make_ordinary(host);
  SnpLaunchOptions chosen = options();
  chosen.print = true;
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  EXPECT_TRUE(has(*launch, ",cbitpos=51,"));
  EXPECT_TRUE(has(*launch, "/usr/share/ovmf/OVMF.amdsev.fd"));
  EXPECT_TRUE(has(*launch, "reconnect-ms=1000"));
  const std::vector<std::string> expected = {
      "cbitpos=51: this processor has no CPUID 0x8000001F; an SNP host's value is EBX[5:0] of it",
      "-bios /usr/share/ovmf/OVMF.amdsev.fd: the path is only expected; here, none of the usual paths has OVMF's "
      "AmdSev "
      "build",
      "/usr/bin/qemu-system-x86_64: too old for SNP guests here; the command line is for QEMU 9.2 or later"};
  EXPECT_EQ(launch->assumptions, expected);
}

TEST(SnpLaunch, AHostWithoutQemuPrintsItsName) {
  FakeHost host;
  host.take(kFakeQemu);
  SnpLaunchOptions chosen = options();
  chosen.print = true;
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  EXPECT_EQ(launch->argv.front(), "qemu-system-x86_64");
  ASSERT_EQ(launch->assumptions.size(), 1U);
  EXPECT_EQ(launch->assumptions.front(),
            "qemu-system-x86_64: not found here; the command line is for QEMU 9.2 or later");
}

TEST(SnpLaunch, FilesThatAreNotHereAreAssumedAndSaid) {
  FakeHost host;
  SnpLaunchOptions chosen = options();
  chosen.print = true;
  chosen.kernel = "/nope/bzImage";
  chosen.initrd = "/nope/initramfs.zst";
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  EXPECT_EQ(launch->assumptions,
            (std::vector<std::string>{
                "-kernel /nope/bzImage: the path is only expected; here, No such file or directory",
                "-initrd /nope/initramfs.zst: the path is only expected; here, No such file or directory"}));
}

TEST(SnpLaunch, AnIgvmFileAsksForANewerQemu) {
  FakeHost host;
  SnpLaunchOptions chosen;
  chosen.print = true;
  chosen.igvm = "/nope/coconut.igvm";
  chosen.com3_socket = "/run/com3.sock";
  const std::string absent = "igvm-cfg /nope/coconut.igvm: the path is only expected; here, No such file or directory";
  const auto assumed = [&] {
    const auto launch = plan_snp_launch(chosen, find_facts(host));
    return launch ? launch->assumptions : std::vector<std::string>{launch.error().text};
  };
  EXPECT_EQ(assumed(), std::vector<std::string>{absent});
  host.answers[std::string(kFakeQemu) + " -object help"] = "  sev-snp-guest\n";
  EXPECT_EQ(assumed(), (std::vector<std::string>{absent, std::string(kFakeQemu) +
                                                             ": knows no IGVM files here; the command line is for QEMU "
                                                             "10.1 or later, built with --enable-igvm"}));
  host.take(kFakeQemu);
  EXPECT_EQ(assumed(), (std::vector<std::string>{
                           absent, "qemu-system-x86_64: not found here; the command line is for QEMU 10.1 or later"}));
}

TEST(SnpLaunch, AnOrdinaryHostRefusesToStartAndNamesAllThatIsMissing) {
  FakeHost host;
  make_ordinary(host);
  const auto launch = plan_snp_launch(options(), find_facts(host));
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code, Errc::snp_unavailable);
  std::size_t at = 0;
  for (const char* name : {"processor (", "host-kernel (", "qemu (", "ovmf ("}) {
    at = launch.error().text.find(name, at);
    EXPECT_NE(at, std::string::npos) << name << " is not in its place in " << launch.error().text;
  }
  // What the first of them brings, and what this way of starting does not need.
  for (const char* name : {"kvm-switch", "dev-kvm", "dev-sev", "igvm"}) {
    EXPECT_EQ(launch.error().text.find(name), std::string::npos) << launch.error().text;
  }
}

TEST(SnpLaunch, ReadsAndEncodesTheIdBlock) {
  FakeHost host;
  SnpLaunchOptions chosen = options();
  chosen.id_block = ATTESTBED_SOURCE_DIR "/sim/testdata/ssm-id-block.bin";
  chosen.id_auth = ATTESTBED_SOURCE_DIR "/sim/testdata/ssm-id-auth.bin";
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  // The block begins with the digest 00 01 … 2f (sim/testdata/README.md); its first 12 octets as coreutils' base64 has
  // it.
  EXPECT_TRUE(has(*launch, ",id-block=AAECAwQFBgcICQoL"));
  EXPECT_TRUE(has(*launch, ",id-auth=AQAAAAEAAAA"));
}

TEST(SnpLaunch, SaysWhichFileCannotBeRead) {
  FakeHost host;
  SnpLaunchOptions chosen = options();
  chosen.id_block = "/no/such/block";
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code, Errc::io_failed);
  EXPECT_TRUE(launch.error().text.starts_with("/no/such/block: ")) << launch.error().text;
}

TEST(SnpLaunch, PrintsWithNothingSaidAtAll) {
  FakeHost host;
  SnpLaunchOptions chosen;
  chosen.print = true;
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  ASSERT_EQ(launch->assumptions.size(), 1U);
  EXPECT_EQ(launch->assumptions.front(),
            "-kernel bzImage -initrd initramfs.zst: no image was named; attestbed image --out makes one");
  EXPECT_TRUE(has(*launch, "attest.transport=com3 attest.firmware=sev-guest attest.secret_auth=none"));
}

TEST(SnpLaunch, StartsOnlyFilesThatAreThere) {
  FakeHost host;
  for (const char* which : {"kernel", "initrd", "igvm"}) {
    SnpLaunchOptions chosen = options();
    if (which == std::string_view("kernel")) chosen.kernel = "/no/such/kernel";
    if (which == std::string_view("initrd")) chosen.initrd = "/no/such/initrd";
    if (which == std::string_view("igvm")) {
      chosen.kernel.clear();
      chosen.initrd.clear();
      chosen.append.clear();
      chosen.igvm = "/no/such/igvm";
    }
    const auto launch = plan_snp_launch(chosen, find_facts(host));
    ASSERT_FALSE(launch);
    EXPECT_EQ(launch.error().code, Errc::io_failed);
    EXPECT_EQ(launch.error().text, "/no/such/" + std::string(which) + ": No such file or directory");
    chosen.print = true;
    const auto shown = plan_snp_launch(chosen, find_facts(host));
    ASSERT_TRUE(shown) << shown.error().text;
    EXPECT_EQ(shown->assumptions.size(), 1U);
  }
}

TEST(SnpLaunch, ADirectoryIsNoKernel) {
  FakeHost host;
  SnpLaunchOptions chosen = options();
  chosen.kernel = "/proc/self";
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code, Errc::bad_config);
  EXPECT_EQ(launch.error().text, "/proc/self: expected a regular file, found something else");
  chosen.print = true;
  EXPECT_EQ(plan_snp_launch(chosen, find_facts(host))->assumptions,
            std::vector<std::string>{
                "-kernel /proc/self: the path is only expected; here, expected a regular file, found something else"});
}

// Without an initial RAM disk there is no attest-guest, and without a kernel nothing that unpacks one.
TEST(SnpLaunch, KernelAndRamDiskAreNamedTogether) {
  FakeHost host;
  for (const bool print : {false, true}) {
    SnpLaunchOptions kernel = options(), disk = options();
    kernel.print = disk.print = print;
    kernel.initrd.clear();
    disk.kernel.clear();
    for (const SnpLaunchOptions& chosen : {kernel, disk}) {
      const auto launch = plan_snp_launch(chosen, find_facts(host));
      ASSERT_FALSE(launch);
      EXPECT_EQ(launch.error().code, Errc::bad_config);
    }
  }
}

TEST(SnpLaunch, AnIgvmFileStandsAlone) {
  FakeHost host;
  SnpLaunchOptions chosen;
  chosen.print = true;
  chosen.igvm = "/proc/self/exe";
  chosen.com3_socket = "/run/com3.sock";
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_TRUE(launch) << launch.error().text;
  EXPECT_TRUE(has(*launch, "igvm-cfg,id=igvm0,file=/proc/self/exe"));
  EXPECT_FALSE(has(*launch, "OVMF"));
  for (std::string SnpLaunchOptions::*const also :
       {&SnpLaunchOptions::kernel, &SnpLaunchOptions::initrd, &SnpLaunchOptions::ovmf, &SnpLaunchOptions::append}) {
    SnpLaunchOptions both = chosen;
    both.*also = "something";
    const auto refused = plan_snp_launch(both, find_facts(host));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::bad_config);
    EXPECT_TRUE(refused.error().text.starts_with("IGVM file: ")) << refused.error().text;
  }
}

TEST(SnpLaunch, WhatIsWrongWithTheOptionsIsSaidBeforeWhatTheHostLacks) {
  FakeHost host;
  make_ordinary(host);
  SnpLaunchOptions chosen = options();
  chosen.policy = 0;
  const auto launch = plan_snp_launch(chosen, find_facts(host));
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code, Errc::bad_config);
}

}  // namespace
}  // namespace attestbed::vm
