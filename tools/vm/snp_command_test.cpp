// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/snp_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "tools/vm/qemu_words.h"

namespace attestbed::vm {
namespace {

using Argv = std::vector<std::string>;

// 32 octets 00..1f; the text is that of coreutils' base64.
constexpr char kHostData[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

SnpCommand direct() {
  SnpCommand guest;
  guest.qemu = "/usr/bin/qemu-system-x86_64";
  guest.boot = DirectBoot{"/usr/share/ovmf/OVMF.amdsev.fd", "out/vmlinuz", "out/initramfs.img",
                          "console=ttyS0 attest.transport=com3"};
  guest.com3_socket = "/run/attest/com3.sock";
  return guest;
}

SnpCommand igvm() {
  SnpCommand guest = direct();
  guest.boot = IgvmBoot{"coconut-qemu.igvm"};
  return guest;
}

// ID_BLOCK is 96 octets with POLICY at 0x58 (56860, structure ID_BLOCK), ID_AUTH 4096. The texts are those of
// coreutils' base64 for 88 zeros before 00 00 03 00 00 00 00 00, and for 4096 zeros.
std::string id_block_of_default_policy() {
  return std::string(121, 'A') + "w" + std::string(6, 'A');
}
std::string id_auth() {
  return std::string(5462, 'A') + "==";
}

TEST(SnpCommand, DirectBootIsExactlyThisCommandLine) {
  const auto argv = snp_argv(direct());
  ASSERT_TRUE(argv) << argv.error().text;
  // The form of AMD's SNP series ("basic invocation"), as QEMU 10.0.2's parser accepts it.
  const Argv expected = {
      "/usr/bin/qemu-system-x86_64",
      "-nodefaults",
      "-no-user-config",
      "-no-reboot",
      "-display",
      "none",
      "-machine",
      "q35,accel=kvm,confidential-guest-support=sev0,memory-backend=ram1,vmport=off",
      "-cpu",
      "EPYC-v4",
      "-smp",
      "1",
      "-m",
      "512M",
      "-object",
      "memory-backend-memfd,id=ram1,size=512M,share=true,prealloc=false,reserve=false",
      "-object",
      "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on",
      "-bios",
      "/usr/share/ovmf/OVMF.amdsev.fd",
      "-kernel",
      "out/vmlinuz",
      "-initrd",
      "out/initramfs.img",
      "-append",
      "console=ttyS0 attest.transport=com3",
      "-serial",
      "stdio",
      "-serial",
      "null",
      "-chardev",
      "socket,id=c3,path=/run/attest/com3.sock,reconnect-ms=1000",
      "-serial",
      "chardev:c3",
  };
  EXPECT_EQ(*argv, expected);
}

TEST(SnpCommand, IgvmBootIsExactlyThisCommandLine) {
  SnpCommand guest = igvm();
  guest.vcpus = 4;
  guest.memory_mib = 8192;
  guest.cbit_position = 47;
  guest.console = "console.log";
  guest.more = {"-device", "virtio-scsi-pci"};
  const auto argv = snp_argv(guest);
  ASSERT_TRUE(argv) << argv.error().text;
  // The form of docs/system/igvm.rst and of COCONUT-SVSM's launch script.
  const Argv expected = {
      "/usr/bin/qemu-system-x86_64",
      "-nodefaults",
      "-no-user-config",
      "-no-reboot",
      "-display",
      "none",
      "-machine",
      "q35,accel=kvm,confidential-guest-support=sev0,memory-backend=ram1,vmport=off,igvm-cfg=igvm0",
      "-cpu",
      "EPYC-v4",
      "-smp",
      "4",
      "-m",
      "8192M",
      "-object",
      "memory-backend-memfd,id=ram1,size=8192M,share=true,prealloc=false,reserve=false",
      "-object",
      "igvm-cfg,id=igvm0,file=coconut-qemu.igvm",
      "-object",
      "sev-snp-guest,id=sev0,cbitpos=47,reduced-phys-bits=1",
      "-chardev",
      "file,id=c1,path=console.log",
      "-serial",
      "chardev:c1",
      "-serial",
      "null",
      "-chardev",
      "socket,id=c3,path=/run/attest/com3.sock,reconnect-ms=1000",
      "-serial",
      "chardev:c3",
      "-device",
      "virtio-scsi-pci",
  };
  EXPECT_EQ(*argv, expected);
}

std::string word_after(const Argv& argv, const std::string& option, const std::string& beginning) {
  for (std::size_t i = 0; i + 1 < argv.size(); ++i) {
    if (argv[i] == option && argv[i + 1].starts_with(beginning)) return argv[i + 1];
  }
  return "(none)";
}

TEST(SnpCommand, EveryPropertyOfTheGuestHasItsPlace) {
  SnpCommand guest = direct();
  guest.policy = 0x30000;
  guest.host_data = kHostData;
  guest.id_block = id_block_of_default_policy();
  guest.id_auth = id_auth();
  guest.author_key_enabled = true;
  guest.reconnect = Reconnect::seconds;
  const auto argv = snp_argv(guest);
  ASSERT_TRUE(argv) << argv.error().text;
  EXPECT_EQ(word_after(*argv, "-object", "sev-snp-guest"),
            "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on,host-data=" +
                std::string(kHostData) + ",id-block=" + guest.id_block + ",id-auth=" + guest.id_auth +
                ",author-key-enabled=on");
  EXPECT_EQ(word_after(*argv, "-chardev", "socket"), "socket,id=c3,path=/run/attest/com3.sock,reconnect=1");
}

TEST(SnpCommand, CommasAreDoubledWhereQemuReadsAListAndNowhereElse) {
  SnpCommand guest = direct();
  guest.boot = DirectBoot{"a,b.fd", "k,ernel", "i,nitrd", "x=1,2"};
  guest.console = "con,sole";
  guest.com3_socket = "so,ck,";
  const auto argv = snp_argv(guest);
  ASSERT_TRUE(argv) << argv.error().text;
  EXPECT_EQ(word_after(*argv, "-bios", ""), "a,b.fd");
  EXPECT_EQ(word_after(*argv, "-kernel", ""), "k,ernel");
  EXPECT_EQ(word_after(*argv, "-initrd", ""), "i,nitrd");
  EXPECT_EQ(word_after(*argv, "-append", ""), "x=1,2");
  EXPECT_EQ(word_after(*argv, "-chardev", "file"), "file,id=c1,path=con,,sole");
  EXPECT_EQ(word_after(*argv, "-chardev", "socket"), "socket,id=c3,path=so,,ck,,,reconnect-ms=1000");
  guest.boot = IgvmBoot{"i,gvm"};
  EXPECT_EQ(word_after(*snp_argv(guest), "-object", "igvm-cfg"), "igvm-cfg,id=igvm0,file=i,,gvm");
}

TEST(SnpCommand, AbsentRamDiskAndCommandLineLeaveNoOption) {
  SnpCommand guest = direct();
  guest.boot = DirectBoot{"o.fd", "k", "", ""};
  const auto argv = snp_argv(guest);
  ASSERT_TRUE(argv) << argv.error().text;
  EXPECT_EQ(std::ranges::count(*argv, "-initrd"), 0);
  EXPECT_EQ(std::ranges::count(*argv, "-append"), 0);
}

struct Refused {
  const char* name;
  std::function<void(SnpCommand&)> change;
  const char* text;
};

DirectBoot& boot_of(SnpCommand& guest) {
  return std::get<DirectBoot>(guest.boot);
}

class SnpCommandRefuses : public testing::TestWithParam<Refused> {};

TEST_P(SnpCommandRefuses, NamingWhatIsAllowedAndFound) {
  SnpCommand guest = direct();
  GetParam().change(guest);
  const auto argv = snp_argv(guest);
  ASSERT_FALSE(argv);
  EXPECT_EQ(argv.error().code, Errc::bad_config);
  EXPECT_EQ(argv.error().text, GetParam().text);
}

const Refused kRefused[] = {
    {"NoQemu", [](SnpCommand& g) { g.qemu.clear(); }, "QEMU: expected a path, found none"},
    {"NoOvmf", [](SnpCommand& g) { boot_of(g).ovmf.clear(); }, "OVMF: expected a path, found none"},
    {"NoKernel", [](SnpCommand& g) { boot_of(g).kernel.clear(); }, "kernel: expected a path, found none"},
    {"NoSocket", [](SnpCommand& g) { g.com3_socket.clear(); }, "socket of COM3: expected a path, found none"},
    {"LongSocket", [](SnpCommand& g) { g.com3_socket.assign(108, 's'); },
     "socket of COM3: expected a path of at most 107 octets, found 108"},
    {"LongPath", [](SnpCommand& g) { boot_of(g).initrd.assign(4096, 'i'); },
     "initial RAM disk: expected a path of at most 4095 octets, found 4096"},
    {"LineFeedInPath", [](SnpCommand& g) { g.console = "a\nb"; },
     "console: expected a path, found one with a control character"},
    {"LongCommandLine", [](SnpCommand& g) { boot_of(g).append.assign(2048, 'x'); },
     "kernel command line: expected at most 2047 octets, found 2048"},
    {"ZeroInCommandLine", [](SnpCommand& g) { boot_of(g).append = std::string("a\0b", 3); },
     "kernel command line: expected one line, found a control character"},
    {"NoProcessor", [](SnpCommand& g) { g.vcpus = 0; }, "processors: expected 1 to 255, found 0"},
    {"ManyProcessors", [](SnpCommand& g) { g.vcpus = 256; }, "processors: expected 1 to 255, found 256"},
    {"LittleMemory", [](SnpCommand& g) { g.memory_mib = 255; }, "memory in MiB: expected 256 to 1048576, found 255"},
    {"MuchMemory", [](SnpCommand& g) { g.memory_mib = 1048577; },
     "memory in MiB: expected 256 to 1048576, found 1048577"},
    {"NoCbit", [](SnpCommand& g) { g.cbit_position = 0; }, "C-bit position: expected 1 to 63, found 0"},
    {"HighCbit", [](SnpCommand& g) { g.cbit_position = 64; }, "C-bit position: expected 1 to 63, found 64"},
    {"PolicyWithoutBit17", [](SnpCommand& g) { g.policy = 0x10000; },
     "policy: expected bit 17 set (0x20000), as the firmware demands, found 0x10000"},
    {"PolicyBit26", [](SnpCommand& g) { g.policy = 0x4030000; }, "policy: expected no bit above 25, found 0x4030000"},
    {"ShortHostData", [](SnpCommand& g) { g.host_data = "AAEC"; },
     "HOST_DATA: expected base64 of 32 octets, found 4 characters"},
    {"HostDataOf33Octets", [](SnpCommand& g) { g.host_data = std::string(44, 'A'); },
     "HOST_DATA: expected base64 of 32 octets, found 33 octets"},
    {"HostDataWithComma", [](SnpCommand& g) { g.host_data = std::string(42, 'A') + ",="; },
     "HOST_DATA: expected base64 of 32 octets, found other characters or padding, at 42"},
    {"HostDataWithStrayBits", [](SnpCommand& g) { g.host_data = std::string(42, 'A') + "B="; },
     "HOST_DATA: expected base64 of 32 octets, found other characters or padding, at 42"},
    {"BlockAlone", [](SnpCommand& g) { g.id_block = id_block_of_default_policy(); },
     "ID block: expected block and authentication, both or neither, found a block alone"},
    {"AuthAlone", [](SnpCommand& g) { g.id_auth = id_auth(); },
     "ID block: expected block and authentication, both or neither, found no block"},
    {"AuthorWithoutBlock", [](SnpCommand& g) { g.author_key_enabled = true; },
     "author key: expected an ID block that it endorses, found none"},
    {"ShortAuth",
     [](SnpCommand& g) {
       g.id_block = id_block_of_default_policy();
       g.id_auth = std::string(5460, 'A');
     },
     "ID authentication: expected base64 of 4096 octets, found 5460 characters"},
    {"BlockOfAnotherPolicy",
     [](SnpCommand& g) {
       g.id_block = id_block_of_default_policy();
       g.id_auth = id_auth();
       g.policy = 0x20000;
     },
     "ID block: expected the guest's policy, 0x20000, found 0x30000"},
    {"PolicyBesideIgvm",
     [](SnpCommand& g) {
       g.boot = IgvmBoot{"i.igvm"};
       g.policy = 0x20000;
     },
     "IGVM file: expected no policy and no ID block beside it, since it has its own, found one of them"},
    {"NoIgvm", [](SnpCommand& g) { g.boot = IgvmBoot{}; }, "IGVM file: expected a path, found none"},
};

INSTANTIATE_TEST_SUITE_P(Each, SnpCommandRefuses, testing::ValuesIn(kRefused),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(SnpCommand, RefusesAProcessorModelThatNoDigestIsKnownFor) {
  for (const char* model : {"host", "max", "EPYC-v4,check=off", ""}) {
    SnpCommand guest = direct();
    guest.cpu_model = model;
    const auto argv = snp_argv(guest);
    ASSERT_FALSE(argv) << model;
    EXPECT_EQ(argv.error().code, Errc::bad_config);
    EXPECT_TRUE(argv.error().text.ends_with("found \"" + std::string(model) + "\"")) << argv.error().text;
  }
}

// What a shell makes of the text is the judge of the quoting.
TEST(QemuWords, AShellReadsTheCommandBackWordForWord) {
  const Argv words = {"printf", "%s\\n", "plain",    "", "with space", "it's", "$HOME `x` \"y\" \\",
                      "-n",     "*?[a]", "a,,b;&|<>"};
  const std::string command = shell_command(words);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string out;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0);
  std::string expected;
  for (std::size_t i = 2; i < words.size(); ++i) expected += words[i] + "\n";
  EXPECT_EQ(out, expected);
}

TEST(QemuWords, EachOptionHasALineOfItsOwn) {
  EXPECT_EQ(shell_command({"qemu", "-m", "512M", "-append", "a b"}), "qemu \\\n  -m 512M \\\n  -append 'a b'");
}

}  // namespace
}  // namespace attestbed::vm
