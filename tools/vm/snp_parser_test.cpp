// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/posix/clock.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"
#include "tools/vm/host_source.h"
#include "tools/vm/snp_command.h"

// A QEMU that knows sev-snp-guest is the judge of our command lines: on a machine that is no SNP host it must get as
// far as the missing hardware, and complain of nothing before. tests/vm/fetch_backports_qemu.sh unpacks one; without it
// these tests are skipped.
namespace attestbed::vm {
namespace {

constexpr char kDirectory[] = ATTESTBED_SOURCE_DIR "/build/qemu-backports/usr";
constexpr std::chrono::seconds kPatience{60};

// What QEMU 10.0.2 says of a complete command line where there is no SNP: with KVM, and without.
constexpr char kNoSnp[] = "qemu-system-x86_64: vm-type SEV-SNP not supported by KVM\n";
constexpr char kNoKvm[] = "qemu-system-x86_64: cannot set up private guest memory for sev-snp-guest: KVM required\n";

class SnpParser : public testing::Test {
 protected:
  void SetUp() override {
    if (::access(qemu().c_str(), X_OK) != 0) {
      GTEST_SKIP() << qemu() << " is not there: tests/vm/fetch_backports_qemu.sh brings it";
    }
    ASSERT_TRUE(scratch_) << scratch_.error().text();
  }

  static std::string qemu() { return std::string(kDirectory) + "/bin/qemu-system-x86_64"; }

  SnpCommand guest() const {
    SnpCommand command;
    command.qemu = qemu();
    command.boot = DirectBoot{scratch_->file("OVMF.fd"), scratch_->file("vmlinuz"), scratch_->file("initramfs.img"),
                              "console=ttyS0 attest.transport=com3"};
    command.com3_socket = scratch_->file("com3.sock");
    command.console = scratch_->file("console.log");
    command.more = {"-L", std::string(kDirectory) + "/share/qemu"};
    return command;
  }

  /// complaint is what QEMU writes to standard error before it ends with 1.
  std::string complaint(std::vector<std::string> argv) {
    posix::SteadyClock clock;
    launch::Children children(clock);
    const auto child = children.start({"qemu", argv.front(), {argv.begin() + 1, argv.end()}});
    if (!child) return child.error().text();
    const auto exit = children.wait_exit(**child, clock.now() + kPatience);
    if (!exit) return exit.error().text();
    EXPECT_EQ(exit->text(), "exit 1");
    return (*child)->err().text();
  }

  std::string complaint_of(const SnpCommand& command, const std::string& from = {}, const std::string& to = {}) {
    auto argv = snp_argv(command);
    if (!argv) return argv.error().text;
    bool replaced = from.empty();
    for (std::string& word : *argv) {
      const std::size_t at = from.empty() ? std::string::npos : word.find(from);
      if (at == std::string::npos) continue;
      word.replace(at, from.size(), to);
      replaced = true;
    }
    EXPECT_TRUE(replaced) << from << " is not in the command line";
    return complaint(*std::move(argv));
  }

  const launch::Outcome<launch::ScratchDir> scratch_ = launch::ScratchDir::make();
};

SnpCommand with_everything(SnpCommand command) {
  command.vcpus = 4;
  command.memory_mib = 2048;
  command.host_data = std::string(43, 'A') + "=";
  command.id_block = std::string(121, 'A') + "w" + std::string(6, 'A');  // POLICY 0x30000, else zeros
  command.id_auth = std::string(5462, 'A') + "==";
  command.author_key_enabled = true;
  return command;
}

TEST_F(SnpParser, GetsAsFarAsTheAccelerator) {
  EXPECT_EQ(complaint_of(guest(), "accel=kvm", "accel=tcg"), kNoKvm);
  EXPECT_EQ(complaint_of(with_everything(guest()), "accel=kvm", "accel=tcg"), kNoKvm);
}

TEST_F(SnpParser, GetsAsFarAsTheHardware) {
  ThisHost host;
  if (!host.open_device("/dev/kvm")) GTEST_SKIP() << "/dev/kvm cannot be opened here";
  if (host.cpuid(0x80000000).eax >= 0x8000001f && (host.cpuid(0x8000001f).eax >> 4 & 1U) != 0) {
    GTEST_SKIP() << "this is an SNP host: QEMU would start the guest";
  }
  EXPECT_EQ(complaint_of(guest()), kNoSnp);
  EXPECT_EQ(complaint_of(with_everything(guest())), kNoSnp);
}

TEST_F(SnpParser, TakesBothSpellingsOfReconnect) {
  for (const Reconnect reconnect : {Reconnect::seconds, Reconnect::milliseconds}) {
    SnpCommand command = guest();
    command.reconnect = reconnect;
    EXPECT_EQ(complaint_of(command, "accel=kvm", "accel=tcg"), kNoKvm);
  }
}

// The file that QEMU makes has the name that was meant.
TEST_F(SnpParser, ReadsEscapedCommasBack) {
  SnpCommand command = guest();
  command.console = scratch_->file("a,b=c,,d");
  command.com3_socket = scratch_->file("s,reconnect=9");
  EXPECT_EQ(complaint_of(command, "accel=kvm", "accel=tcg"), kNoKvm);
  EXPECT_TRUE(std::filesystem::exists(command.console));
}

// Were this judge to let everything pass, the tests above would prove nothing.
TEST_F(SnpParser, RefusesWhatIsMisspeltOrTooShort) {
  EXPECT_TRUE(
      complaint_of(guest(), "kernel-hashes=on", "kernel-hushes=on").ends_with(": Invalid parameter 'kernel-hushes'\n"));
  EXPECT_EQ(complaint_of(with_everything(guest()), "host-data=" + std::string(40, 'A'), "host-data="),
            "qemu-system-x86_64: parameter length of 2 not equal to 32\n");
  EXPECT_NE(complaint_of(guest(), "reconnect-ms=", "reconnect-us=").find("Invalid parameter 'reconnect-us'"),
            std::string::npos);
}

TEST_F(SnpParser, SaysOfIgvmOnlyThatItWasBuiltWithout) {
  SnpCommand command = guest();
  command.boot = IgvmBoot{scratch_->file("coconut.igvm")};
  const std::string said = complaint_of(command, "accel=kvm", "accel=tcg");
  EXPECT_NE(said.find("igvm-cfg"), std::string::npos) << said;
}

}  // namespace
}  // namespace attestbed::vm
