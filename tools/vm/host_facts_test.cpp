// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/host_facts.h"

#include <gtest/gtest.h>

#include "tools/vm/fake_host.h"

namespace attestbed::vm {
namespace {

TEST(HostFacts, AreThoseOfAnEpyc7003) {
  FakeHost host;
  const HostFacts facts = find_facts(host);
  EXPECT_EQ(facts.processor.vendor, "AuthenticAMD");
  EXPECT_EQ(facts.processor.family, 25U);
  EXPECT_EQ(facts.processor.model, 1U);
  EXPECT_EQ(facts.processor.stepping, 1U);
  EXPECT_FALSE(facts.processor.virtual_machine);
  ASSERT_TRUE(facts.processor.memory_encryption);
  // What `cpuid` prints in words for these registers.
  EXPECT_TRUE(facts.processor.memory_encryption->sev);
  EXPECT_TRUE(facts.processor.memory_encryption->sev_es);
  EXPECT_TRUE(facts.processor.memory_encryption->sev_snp);
  EXPECT_EQ(facts.processor.memory_encryption->cbit_position, 51U);
  EXPECT_EQ(facts.processor.memory_encryption->reduced_phys_bits, 5U);
  EXPECT_EQ(facts.processor.memory_encryption->guests, 509U);
  EXPECT_EQ(facts.kernel_release, "6.12.38+deb13-amd64");
  EXPECT_EQ(facts.kvm_snp_switch, "Y");
  EXPECT_TRUE(facts.dev_kvm);
  EXPECT_TRUE(facts.dev_sev);
  EXPECT_EQ(facts.qemu.path, kFakeQemu);
  EXPECT_EQ(facts.qemu.version, (Version{10, 1}));
  EXPECT_EQ(facts.qemu.knows_snp, true);
  EXPECT_EQ(facts.qemu.knows_igvm, true);
  EXPECT_EQ(facts.ovmf.path, kFakeOvmf);
  EXPECT_EQ(facts.memory_mib, 245760U);
  ASSERT_TRUE(facts.firmware);
  EXPECT_EQ(facts.firmware->build, 22U);
}

TEST(HostFacts, AFunctionAboveTheLargestOneIsNotThere) {
  FakeHost host;
  host.functions[0x80000000].eax = 0x8000001e;
  EXPECT_FALSE(find_facts(host).processor.memory_encryption);
}

TEST(HostFacts, AFunctionThatAHypervisorHidesIsNotThere) {
  FakeHost host;
  host.functions[0x8000001f] = {};
  host.functions[1].ecx |= 1U << 31;
  const Processor processor = find_facts(host).processor;
  EXPECT_FALSE(processor.memory_encryption);
  EXPECT_TRUE(processor.virtual_machine);
}

TEST(HostFacts, FilesAndProgramsThatAreAbsentLeaveTheirFactsEmpty) {
  FakeHost host;
  for (const char* path : {"/proc", "/sys", "/usr"}) host.take(path);
  const HostFacts facts = find_facts(host);
  EXPECT_EQ(facts.kernel_release, "");
  EXPECT_FALSE(facts.kvm_snp_switch);
  EXPECT_EQ(facts.qemu.path, "");
  EXPECT_FALSE(facts.qemu.knows_snp);
  EXPECT_FALSE(facts.memory_mib);
  EXPECT_EQ(facts.ovmf.path, "");
  EXPECT_EQ(facts.ovmf.complaint, "none of the usual paths has OVMF's AmdSev build");
}

TEST(HostFacts, AQemuThatDoesNotAnswerIsFoundAllTheSame) {
  FakeHost host;
  host.answers.clear();
  const QemuFacts qemu = find_facts(host).qemu;
  EXPECT_EQ(qemu.path, kFakeQemu);
  EXPECT_FALSE(qemu.version);
  EXPECT_FALSE(qemu.knows_snp);
}

TEST(HostFacts, AQemuOf72KnowsOtherGuestsOnly) {
  FakeHost host;
  host.answers[std::string(kFakeQemu) + " -object help"] = "List of user creatable objects:\n  sev-guest\n";
  const QemuFacts qemu = find_facts(host).qemu;
  EXPECT_EQ(qemu.knows_snp, false);
  EXPECT_EQ(qemu.knows_igvm, false);
}

TEST(HostFacts, ChosenPathsAreTheOnlyOnesLookedAt) {
  FakeHost host;
  const HostFacts facts = find_facts(host, {"/opt/qemu", "/opt/OVMF.fd", {}});
  EXPECT_EQ(facts.qemu.path, "");
  EXPECT_EQ(facts.ovmf.path, "");
  EXPECT_TRUE(facts.ovmf.complaint.starts_with("/opt/OVMF.fd: ")) << facts.ovmf.complaint;
  EXPECT_TRUE(facts.ovmf.complaint.ends_with("No such file or directory)")) << facts.ovmf.complaint;
}

/// changed_ovmf has one octet of a GUID of its table changed, so that its entry is not there.
std::string changed_ovmf(const FakeHost& host, std::string_view guid_octets) {
  std::string octets = *posix::read_file(host.path_of(kFakeOvmf), 4096);
  const std::size_t at = octets.rfind(guid_octets);
  if (at != std::string::npos) octets[at] = static_cast<char>(octets[at] ^ 1);
  return at == std::string::npos ? "" : octets;
}

TEST(HostFacts, AFirmwareWithoutSevMetadataIsRefused) {
  FakeHost host;
  host.put(kFakeOvmf, changed_ovmf(host, "\x66\x65\x88\xdc\x4a\x98\x98\x47"));  // dc886566-984a-4798-…
  const OvmfFacts ovmf = find_facts(host).ovmf;
  EXPECT_EQ(ovmf.path, "");
  EXPECT_NE(ovmf.complaint.find("an entry for SEV metadata, dc886566-984a-4798-a75e-5585a7bf67cc, found none"),
            std::string::npos)
      << ovmf.complaint;
}

TEST(HostFacts, AFirmwareWithoutPlaceForKernelHashesIsRefused) {
  FakeHost host;
  host.put(kFakeOvmf, changed_ovmf(host, "\x1f\x37\x55\x72\x3b\x3a\x04\x4b"));  // 7255371f-3a3b-4b04-…
  const OvmfFacts ovmf = find_facts(host).ovmf;
  EXPECT_EQ(ovmf.path, "");
  EXPECT_EQ(ovmf.complaint,
            std::string(kFakeOvmf) +
                ": expected a table for kernel hashes, found none: this firmware would start any kernel");
}

TEST(HostFacts, ABadFirmwareDoesNotHideAGoodOne) {
  FakeHost host;
  host.put("/usr/share/edk2/ovmf/OVMF.amdsev.fd", *posix::read_file(host.path_of(kFakeOvmf), 4096));
  host.put(kFakeOvmf, "no firmware");
  EXPECT_EQ(find_facts(host).ovmf.path, "/usr/share/edk2/ovmf/OVMF.amdsev.fd");
}

TEST(HostFacts, VersionsAreFoundInProse) {
  EXPECT_EQ(version_in("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)"), (Version{7, 2}));
  EXPECT_EQ(version_in("6.18.44-fc"), (Version{6, 18}));
  EXPECT_EQ(version_in("10.0.2"), (Version{10, 0}));
  for (const char* text : {"", "6", "6.", "version", "99999999999.1", "."}) EXPECT_FALSE(version_in(text)) << text;
}

TEST(HostFacts, KernelsAreThoseOfUnpackedPackagesAndOfTheHost) {
  FakeHost host;
  host.put("/build/kernel/boot/vmlinuz-6.1.0-cloud", "");
  host.put_modules("/build/kernel/lib/modules/6.1.0-cloud", false);
  host.put("/build/kernel/generic/boot/vmlinuz-6.1.0", "");
  host.put("/build/kernel/generic/boot/config-6.1.0", "");
  host.put_modules("/build/kernel/generic/lib/modules/6.1.0", true);
  host.put("/build/kernel/other/boot/vmlinuz-6.6", "");
  host.put_modules("/build/kernel/other/usr/lib/modules/6.6", false,
                   "kernel/fs/fuse/fuse.ko\nkernel/drivers/virt/coco/sev-guest/sev-guest.ko\n");
  const HostFacts facts = find_facts(host, {{}, {}, {"/build/kernel"}});
  ASSERT_EQ(facts.kernels.size(), 4U);
  const std::pair<const char*, bool> expected[] = {{"/build/kernel/boot/vmlinuz-6.1.0-cloud", false},
                                                   {"/build/kernel/generic/boot/vmlinuz-6.1.0", true},
                                                   {"/build/kernel/other/boot/vmlinuz-6.6", true},
                                                   {"/boot/vmlinuz-6.12.38+deb13-amd64", true}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(facts.kernels[i].path, expected[i].first);
    EXPECT_EQ(facts.kernels[i].has_sev_guest, expected[i].second) << expected[i].first;
    EXPECT_EQ(facts.kernels[i].complaint, "") << expected[i].first;
    EXPECT_EQ(facts.kernels[i].of_host, i == 3);
  }
}

// Each of these `attestbed image` refuses, with the same words.
TEST(HostFacts, AKernelOfWhichNoImageCanBeMadeIsNone) {
  FakeHost host;
  const auto complaint = [&] {
    const auto kernels = find_facts(host).kernels;
    return kernels.size() == 1 && !kernels[0].has_sev_guest ? kernels[0].complaint : "taken";
  };
  host.put("/boot/vmlinuz-6.1.0", "");
  // Which of them is met first, the directory says.
  EXPECT_TRUE(complaint().starts_with(host.path_of("/boot") + ": there is more than one kernel: vmlinuz-6.1"))
      << complaint();
  host.take("/boot/vmlinuz-6.1.0");
  const std::string driver = "/lib/modules/6.12.38+deb13-amd64/kernel/drivers/virt/coco/sev-guest/sev-guest.ko";
  host.take(driver);
  host.put(driver + ".gz", "\x1f\x8b");
  EXPECT_EQ(complaint(), host.path_of(driver) + ".gz: is compressed with gzip, which is not unpacked here");
  host.take("/lib/modules");
  EXPECT_EQ(complaint(), host.path_of("/") + ": has no modules of 6.12.38+deb13-amd64 (lib/modules)");
}

// The machine that runs this test, whatever it is: what can be said of every one.
TEST(ThisHost, SaysWhatTheKernelSays) {
  ThisHost host;
  const HostFacts facts = find_facts(host, {"/usr/bin/no-such-qemu", {}, {}});
  EXPECT_EQ(facts.processor.vendor.size(), 12U);
  EXPECT_FALSE(facts.kernel_release.empty());
  EXPECT_TRUE(facts.memory_mib);
  EXPECT_EQ(host.open_device("/dev/no-such-device").error, ENOENT);
  EXPECT_TRUE(host.open_device("/dev/null"));
}

TEST(ThisHost, RunsProgramsAndReportsTheirFailures) {
  ThisHost host;
  const auto said = host.run({"/bin/echo", "two words"});
  ASSERT_TRUE(said) << said.error().text;
  EXPECT_EQ(*said, "two words\n");
  const auto failed = host.run({"/bin/sh", "-c", "echo broken >&2; exit 3"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text, "/bin/sh: exit 3: broken");
  EXPECT_FALSE(host.run({"/no/such/program"}));
}

}  // namespace
}  // namespace attestbed::vm
