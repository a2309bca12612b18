// SPDX-License-Identifier: Apache-2.0
// `attestbed vm --snp --print` with inputs that cannot serve: shown, since they may be on another machine, and said.
#include "guest/image/image_fixture.h"
#include "tests/command_line.h"

namespace attestbed::tests {
namespace {

TEST(CliVmSnpInputs, FilesThatAreNotHereAreSaid) {
  const Ran image = attestbed("vm --snp --print --image /nonexistent");
  EXPECT_EQ(image.exit_code, 0) << image.err;
  EXPECT_TRUE(contains(image.out, "-kernel /nonexistent/bzImage ")) << image.out;
  for (const char* said : {"assumed: -kernel /nonexistent/bzImage: the path is only expected",
                           "assumed: -initrd /nonexistent/initramfs.zst: the path is only expected"}) {
    EXPECT_TRUE(contains(image.err, said)) << image.err;
  }
  const Ran igvm = attestbed("vm --snp --print --igvm nope.igvm");
  EXPECT_EQ(igvm.exit_code, 0) << igvm.err;
  EXPECT_TRUE(contains(igvm.err, "assumed: igvm-cfg nope.igvm: the path is only expected")) << igvm.err;
}

TEST(CliVmSnpInputs, WordsThatTheGuestWouldRefuseAreRefused) {
  const struct {
    const char *words, *says;
  } refused[] = {
      {"attest.timeout=never", "attest.timeout has no value 'never'"},
      {"attest.nonsense=1", "attest.nonsense"},
      {"attest.firmware=tsm", "attest.firmware"},  // said twice: it is among ours
  };
  for (const auto& each : refused) {
    const Ran ran = attestbed(std::string("vm --snp --print --append ") + each.words);
    EXPECT_EQ(ran.exit_code, 2) << each.words;
    EXPECT_EQ(ran.out, "") << each.words;
    EXPECT_TRUE(contains(ran.err, "--append: ") && contains(ran.err, each.says)) << ran.err;
  }
  for (const char* words : {"debug", "'attest.secret=key:disk attest.next=exec:/next'", "attest.secret=key:disk"}) {
    const Ran ran = attestbed(std::string("vm --snp --print --append ") + words);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
}

TEST(CliVmSnpInputs, AnImageWithoutTheDriverIsSaid) {
  const guest::Scratch files;
  const std::string program = files.write("init", guest::elf_program(PT_LOAD));
  const auto said_of = [&](const std::string& kernel, const std::string& out) {
    const Ran made = attestbed("image --guest " + program + " --sim-device " + program + " --kernel " + kernel +
                               " --out " + files.root() + "/" + out);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    const Ran ran = attestbed("vm --snp --print --image " + files.root() + "/" + out);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return contains(ran.err, out + "/initramfs.zst: has no module sev-guest");
  };
  EXPECT_TRUE(said_of(files.write("bzImage", guest::boot_kernel()), "without"));
  EXPECT_FALSE(said_of(files.kernel_tree({{"sev-guest", ""}}), "with"));
}

}  // namespace
}  // namespace attestbed::tests
