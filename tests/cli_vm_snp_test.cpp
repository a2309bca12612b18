// SPDX-License-Identifier: Apache-2.0
// `attestbed vm --snp` as people call it, on whatever machine this is: what it shows, and what it refuses.
#include "tests/command_line.h"

namespace attestbed::tests {
namespace {

/// CliVmSnp has a program that answers as QEMU 10.0 does and otherwise says its arguments, one a line, and an image.
class CliVmSnp : public testing::Test {
 protected:
  CliVmSnp() {
    std::filesystem::create_directory(scratch_ / "image");
    scratch_.put("image/bzImage", {});
    scratch_.put("image/initramfs.zst", {});
    scratch_.put("svsm.igvm", {});
  }

  std::string qemu(const std::string& objects = "sev-snp-guest") const {
    const std::string path = scratch_.put_text("qemu",
                                               "#!/bin/sh\ncase \"$*\" in\n"
                                               "--version) echo 'QEMU emulator version 10.0.2' ;;\n"
                                               "'-object help') printf 'Objects:\\n  " +
                                                   objects +
                                                   "\\n' ;;\n"
                                                   "*) printf '%s\\n' \"$@\" ;;\nesac\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  Ran shown(const std::string& arguments) const {
    return attestbed("vm --snp --print --qemu " + qemu() + " " + arguments);
  }
  std::string image() const { return " --image " + (scratch_ / "image"); }

  Scratch scratch_;
};

TEST_F(CliVmSnp, WhatIsShownIsOneCommandForAShell) {
  const Ran ran = shown("--com3 com3.sock --append 'debug x=1'" + image());
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_FALSE(contains(ran.err, "initramfs")) << ran.err;
  const Ran started = run("sh", scratch_.put_text("command", ran.out));
  ASSERT_EQ(started.exit_code, 0) << started.err;
  EXPECT_TRUE(contains(started.out, "\n-kernel\n" + (scratch_ / "image/bzImage\n"))) << started.out;
  EXPECT_TRUE(contains(started.out, "\n-initrd\n" + (scratch_ / "image/initramfs.zst\n"))) << started.out;
  EXPECT_TRUE(contains(started.out,
                       "\n-append\nconsole=ttyS0 quiet panic=-1 attest.transport=com3 attest.firmware=sev-guest "
                       "attest.secret_auth=none debug x=1\n"))
      << started.out;
  EXPECT_TRUE(contains(started.out, "kernel-hashes=on")) << started.out;
}

TEST_F(CliVmSnp, WhatIsTakenForGrantedIsSaidOnStandardError) {
  const Ran nothing = shown("");
  EXPECT_EQ(nothing.exit_code, 0);
  EXPECT_TRUE(contains(nothing.err, "attestbed vm: assumed: -kernel bzImage -initrd initramfs.zst: no image was named"))
      << nothing.err;
  EXPECT_FALSE(contains(nothing.out, "assumed"));
  const Ran elsewhere = shown("--image " + (scratch_ / "absent"));
  EXPECT_EQ(elsewhere.exit_code, 0);
  EXPECT_TRUE(contains(elsewhere.err, "assumed: -kernel " + (scratch_ / "absent/bzImage: the path is only expected")))
      << elsewhere.err;
  EXPECT_TRUE(contains(elsewhere.out, scratch_ / "absent/initramfs.zst"));
}

TEST_F(CliVmSnp, AHostThatLacksSomethingStartsNothing) {
  const Ran ran = attestbed("vm --snp --qemu " + qemu("sev-guest") + image());
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("attestbed vm: snp_unavailable: missing on this host: ")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "qemu (" + (scratch_ / "qemu") + ", version 10.0, does not know sev-snp-guest)"))
      << ran.err;
}

TEST_F(CliVmSnp, AnIgvmFileStandsAloneAndDropsNoWords) {
  const std::string igvm = "--igvm " + (scratch_ / "svsm.igvm");
  const Ran ran = shown(igvm);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "igvm-cfg,id=igvm0,file=" + (scratch_ / "svsm.igvm"))) << ran.out;
  EXPECT_FALSE(contains(ran.out, "-kernel ")) << ran.out;
  for (const std::string& also : {std::string(" --append debug"), image(), std::string(" --ovmf /OVMF.fd")}) {
    const Ran refused = shown(igvm + also);
    EXPECT_EQ(refused.exit_code, 2) << also;
    EXPECT_EQ(refused.out, "") << also;
    EXPECT_TRUE(refused.err.starts_with("attestbed vm: bad_config: IGVM file: ")) << refused.err;
  }
}

// A kernel alone has no PID 1: an image is made of it first, since its digest is what the broker must know.
TEST_F(CliVmSnp, FlagsOfTheSimulationAreUsageErrors) {
  for (const char* const flag : {"--kernel build/kernel", "--add a=/b", "--show-secret", "--accel tcg"}) {
    const Ran refused = shown(flag);
    EXPECT_EQ(refused.exit_code, 2) << flag;
    EXPECT_EQ(refused.out, "") << flag;
  }
}

}  // namespace
}  // namespace attestbed::tests
