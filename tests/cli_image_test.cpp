// SPDX-License-Identifier: Apache-2.0
// `attestbed image` as people run it: what it ends with where it makes no image.
#include "guest/image/image_fixture.h"
#include "tests/command_line.h"

namespace attestbed::tests {
namespace {

/// Refused is a command line after `attestbed image`, in which @ is the test's directory.
///   exit_code  2: syntax, or a file that is not what it must be; 3: a file that is not there or cannot be read
struct Refused {
  const char* name;
  const char* arguments;
  int exit_code;
  const char* says;
};

const Refused kRefused[] = {
    {"NoOut", "--kernel @/bzImage", 2, "--out is required"},
    {"AddedWithoutAPath", "--out @/image --kernel @/bzImage --guest @/init --sim-device @/init --add @/text", 2,
     "is not HOST=GUEST"},
    {"AddedFileAbsent", "--out @/image --kernel @/bzImage --guest @/init --sim-device @/init --add @/absent=/x", 3,
     "No such file or directory"},
    {"KernelAbsent", "--out @/image --kernel @/absent --guest @/init --sim-device @/init", 3,
     "/absent: there is no kernel"},
    {"KernelThatIsNone", "--out @/image --kernel @/text --guest @/init --sim-device @/init", 2,
     "/text: is no Linux kernel for x86: expected 'HdrS' at 0x202"},
    {"TreeThatIsNone", "--out @/image --kernel @/folder --guest @/init --sim-device @/init", 2, "/folder/boot"},
    {"GuestAbsent", "--out @/image --kernel @/bzImage --guest @/absent --sim-device @/init", 3,
     "No such file or directory"},
    {"GuestThatIsNoProgram", "--out @/image --kernel @/bzImage --guest @/text --sim-device @/init", 2, "/text: "},
    {"WrongWord", "--out @/image --kernel @/bzImage --guest @/init --sim-device @/init --config @/text", 2,
     "attest.nonsense"},
    {"ConfigurationAbsent", "--out @/image --kernel @/bzImage --guest @/init --sim-device @/init --config @/absent", 3,
     "No such file or directory"},
    {"OutThatIsAFile", "--out @/text --kernel @/bzImage --guest @/init --sim-device @/init", 3, "/text: "},
};

class CliImage : public testing::TestWithParam<Refused> {};

TEST_P(CliImage, EndsWithTwoForWhatIsWrongAndThreeForWhatIsAbsent) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder");
  scratch.put_text("bzImage", guest::boot_kernel());
  scratch.put_text("init", guest::elf_program(PT_LOAD));
  // No word of the guest, no kernel, no program: long enough for each to be looked at.
  scratch.put_text("text", "attest.nonsense=1\n" + std::string(4096, '#') + "\n");
  std::string arguments = GetParam().arguments;
  for (std::size_t at = 0; (at = arguments.find('@')) != std::string::npos;) arguments.replace(at, 1, scratch.path());
  const Ran ran = attestbed("image " + arguments);
  EXPECT_EQ(ran.exit_code, GetParam().exit_code) << ran.err;
  EXPECT_TRUE(contains(ran.err, GetParam().says)) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_FALSE(std::filesystem::exists(scratch / "image"));
}

INSTANTIATE_TEST_SUITE_P(Each, CliImage, testing::ValuesIn(kRefused),
                         [](const auto& each) { return std::string(each.param.name); });

// `attestbed vm` makes the same image, and starts nothing before it knows what goes into it.
TEST(CliImageOfAVm, AddedWithoutAPathIsAMistakeOfTheCommandLine) {
  for (const char* added : {"foo", "=/bin/foo", "foo="}) {
    const Ran ran = attestbed(std::string("vm --add ") + added);
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
    EXPECT_TRUE(contains(ran.err, "attestbed vm: --add '" + std::string(added) + "' is not HOST=GUEST")) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(CliImageMade, IsThatOfAKernelAlone) {
  const Scratch scratch;
  const std::string program = scratch.put_text("init", guest::elf_program(PT_LOAD));
  const Ran ran = attestbed("image --out " + scratch / "image" + " --guest " + program + " --sim-device " + program +
                            " --kernel " + scratch.put_text("bzImage", guest::boot_kernel()));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(std::filesystem::file_size(scratch / "image/bzImage"), guest::boot_kernel().size());
}

}  // namespace
}  // namespace attestbed::tests
