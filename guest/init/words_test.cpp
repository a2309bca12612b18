// SPDX-License-Identifier: Apache-2.0
#include "guest/init/words.h"

#include <gtest/gtest.h>

namespace attestbed::guest {
namespace {

constexpr std::string_view kAuth = "attest.secret_auth=none ";

ParsedWords on_command_line(const std::string& words) {
  return parse_words("", std::string(kAuth) + words);
}

TEST(Words, DefaultsAreCom3AndAutomaticFirmwareAndPowerOff) {
  const ParsedWords parsed = on_command_line("");
  ASSERT_FALSE(parsed.failure) << parsed.failure->text;
  EXPECT_EQ(parsed.words.line, (LineWord{.type = LineWord::Type::serial, .place = "/dev/ttyS2"}));
  EXPECT_EQ(parsed.words.firmware.type, FirmwareWord::Type::automatic);
  EXPECT_EQ(parsed.words.secret.type, SecretWord::Type::drop);
  EXPECT_EQ(parsed.words.next.type, NextWord::Type::poweroff);
  EXPECT_EQ(parsed.words.timeout, std::chrono::seconds(60));
  EXPECT_TRUE(parsed.words.terms.is_default());
  EXPECT_FALSE(parsed.words.debug_exit);
}

TEST(Words, TheKernelsOwnWordsAreNotOurs) {
  EXPECT_FALSE(on_command_line("console=ttyS0 quiet panic=-1 root=/dev/sda1 attestation=no xattest.x=1").failure);
}

TEST(Words, EveryWordIsRead) {
  const ParsedWords parsed =
      parse_words("",
                  "attest.transport=vsock:2:4000 attest.firmware=tsm:/sys/kernel/config/tsm "
                  "attest.binding=svsm-sha512 attest.key=P-521 attest.resource=a/b/c "
                  "attest.secret_auth=none attest.timeout=7 attest.vmpl=2 attest.secret=key:disk "
                  "attest.next=switch_root:/sysroot:/sbin/init attest.debug_exit=0xf4\n");
  ASSERT_FALSE(parsed.failure) << parsed.failure->text;
  const Words& words = parsed.words;
  EXPECT_EQ(words.line, (LineWord{.type = LineWord::Type::vsock, .place = "", .base = 0, .cid = 2, .port = 4000}));
  EXPECT_EQ(words.firmware, (FirmwareWord{FirmwareWord::Type::tsm, "/sys/kernel/config/tsm"}));
  EXPECT_EQ(words.terms.resource.text(), "a/b/c");
  EXPECT_EQ(words.timeout, std::chrono::seconds(7));
  EXPECT_EQ(words.vmpl, 2U);
  EXPECT_EQ(words.secret, (SecretWord{SecretWord::Type::key, "disk"}));
  EXPECT_EQ(words.next, (NextWord{NextWord::Type::switch_root, "/sysroot", "/sbin/init"}));
  EXPECT_EQ(words.debug_exit, 0xf4);
}

struct LineCase {
  const char* value;
  LineWord expected;
};
TEST(Words, Transports) {
  using Type = LineWord::Type;
  const LineCase cases[] = {
      {"com3", {Type::serial, "/dev/ttyS2", 0, 0, 0}},
      {"serial:/dev/ttyS1", {Type::serial, "/dev/ttyS1", 0, 0, 0}},
      {"uart:0x3e8", {Type::uart, "", 0x3e8, 0, 0}},
      {"uart:1000", {Type::uart, "", 0x3e8, 0, 0}},
      {"virtio-serial", {Type::virtio_port, "attestbed.proxy", 0, 0, 0}},
      {"virtio-serial:other.name", {Type::virtio_port, "other.name", 0, 0, 0}},
      {"vsock", {Type::vsock, "", 0, 2, 1995}},
      {"vsock:1:7", {Type::vsock, "", 0, 1, 7}},
  };
  for (const LineCase& each : cases) {
    const ParsedWords parsed = on_command_line("attest.transport=" + std::string(each.value));
    ASSERT_FALSE(parsed.failure) << each.value;
    EXPECT_EQ(parsed.words.line, each.expected) << each.value;
  }
}

TEST(Words, TheCommandLineWinsOverTheFile) {
  const ParsedWords parsed = parse_words(
      "# a comment\n\n  attest.timeout=5  # seconds\nattest.secret_auth=none\nattest.vmpl=1\n", "attest.timeout=9");
  ASSERT_FALSE(parsed.failure) << parsed.failure->text;
  EXPECT_EQ(parsed.words.timeout, std::chrono::seconds(9));
  EXPECT_EQ(parsed.words.vmpl, 1U);
}

struct Refused {
  const char* words;
  const char* text;  // part of the message
};

TEST(Words, WhatIsRefusedIsNamed) {
  const std::string long_path = "attest.secret=file:/" + std::string(1024, 'a');
  const Refused cases[] = {
      {"attest.transprot=com3", "unknown word 'attest.transprot'"},
      {"attest.", "unknown word 'attest.'"},
      {"attest.Transport=com3", "unknown word 'attest.Transport'"},
      {"attest.transport", "attest.transport has no value"},
      {"attest.transport=", "attest.transport has no value ''"},
      {"attest.transport=com2", "'com2'"},
      {"attest.transport=com3:", "'com3:'"},
      {"attest.transport=serial", "'serial'"},
      {"attest.transport=serial:ttyS2", "'serial:ttyS2'"},
      {"attest.transport=uart:0", "'uart:0'"},
      {"attest.transport=uart:0xfff9", "'uart:0xfff9'"},
      {"attest.transport=uart:0x", "'uart:0x'"},
      {"attest.transport=uart:0x3e8g", "'uart:0x3e8g'"},
      {"attest.transport=virtio-serial:", "'virtio-serial:'"},
      {"attest.transport=virtio-serial:a:b", "'virtio-serial:a:b'"},
      {"attest.transport=vsock:2", "'vsock:2'"},
      {"attest.transport=vsock:2:4294967295", "'vsock:2:4294967295'"},
      {"attest.firmware=none", "'none'"},
      {"attest.firmware=auto:/dev/sev-guest", "'auto:/dev/sev-guest'"},
      {"attest.firmware=sev-guest:", "'sev-guest:'"},
      {"attest.firmware=sev-guest:dev", "'sev-guest:dev'"},
      {"attest.firmware=simulated:x", "'simulated:x'"},
      {"attest.binding=sha512", "'sha512'"},
      {"attest.binding=svsm-sha512 attest.key=RSA-3072", "do not go together"},
      {"attest.key=P-256", "do not go together"},
      {"attest.binding=kbs-sha384 attest.key=P-384", "'P-384'"},
      {"attest.resource=a/b", "'a/b'"},
      {"attest.resource=../b/c", "'../b/c'"},
      {"attest.timeout=0", "'0'"},
      {"attest.timeout=86401", "'86401'"},
      {"attest.timeout=-1", "'-1'"},
      {"attest.timeout=5s", "'5s'"},
      {"attest.timeout=99999999999999999999", "'99999999999999999999'"},
      {"attest.vmpl=4", "'4'"},
      {"attest.secret=stdout", "'stdout'"},
      {"attest.secret=drop:", "'drop:'"},
      {"attest.secret=file:", "'file:'"},
      {"attest.secret=file:run/key", "'file:run/key'"},
      {"attest.secret=file:/run/", "'file:/run/'"},
      {"attest.secret=key:", "'key:'"},
      {"attest.secret=fifo:/run/key", "leave nobody to read"},
      {"attest.secret=key:disk", "leave nobody to read"},
      {"attest.secret=port:attestbed.proxy attest.transport=virtio-serial", "names the line to the proxy"},
      {"attest.secret=file:/secret attest.next=switch_root:/sysroot:/init", "removes or hides /secret"},
      {"attest.secret=fifo:/secret attest.next=switch_root:/sysroot:/init", "removes or hides /secret"},
      {"attest.secret=file:/runaway/key attest.next=switch_root:/sysroot:/init", "removes or hides /runaway/key"},
      {"attest.secret=file:/run/../key attest.next=switch_root:/sysroot:/init", "removes or hides /run/../key"},
      {"attest.secret=file:/sysroots/key attest.next=switch_root:/sysroot:/init", "removes or hides /sysroots/key"},
      {"attest.secret=file:/sysroot/run/key attest.next=switch_root:/sysroot:/init", "hides /sysroot/run/key"},
      {"attest.secret=file:/sysroot//dev/key attest.next=switch_root:/sysroot:/init", "hides /sysroot//dev/key"},
      {"attest.secret=file:/sysroot/./run/key attest.next=switch_root:/sysroot:/init", "hides /sysroot/./run/key"},
      {"attest.secret=file:/sysroot attest.next=switch_root:/sysroot:/init", "removes or hides /sysroot"},
      {"attest.next=reboot", "'reboot'"},
      {"attest.next=exec:init", "'exec:init'"},
      {"attest.next=switch_root:/sysroot", "'switch_root:/sysroot'"},
      {"attest.next=switch_root:/:/init", "'switch_root:/:/init'"},
      {"attest.debug_exit=0", "'0'"},
      {"attest.debug_exit=0x10000", "'0x10000'"},
      {"attest.secret_auth=none", "attest.secret_auth is there twice"},
      {long_path.c_str(), "..."},
  };
  for (const Refused& each : cases) {
    const ParsedWords parsed = on_command_line(each.words);
    ASSERT_TRUE(parsed.failure) << each.words;
    EXPECT_EQ(parsed.failure->error.code, Errc::bad_config) << each.words;
    EXPECT_NE(parsed.failure->text.find(each.text), std::string::npos) << parsed.failure->text;
    EXPECT_FALSE(parsed.failure->remedy.empty()) << each.words;
  }
}

TEST(Words, ASecretThatIsThereAfterASwitchOfRootsIsTaken) {
  for (const char* const words : {"attest.secret=file:/run/key attest.next=switch_root:/sysroot:/init",
                                  "attest.secret=fifo:/run/keys/disk attest.next=switch_root:/sysroot:/init",
                                  "attest.secret=file:/sysroot/etc/key attest.next=switch_root:/sysroot:/init",
                                  "attest.secret=file:/sysroot/running attest.next=switch_root:/sysroot/:/init",
                                  "attest.secret=key:disk attest.next=switch_root:/sysroot:/init",
                                  "attest.secret=file:/secret attest.next=exec:/a"}) {
    const ParsedWords parsed = on_command_line(words);
    EXPECT_FALSE(parsed.failure) << parsed.failure->text;
  }
}

TEST(Words, TheAbsenceOfAnOwnerCheckIsChosenByName) {
  const ParsedWords parsed = parse_words("", "attest.transport=com3");
  ASSERT_TRUE(parsed.failure);
  EXPECT_EQ(parsed.failure->text, "attest.secret_auth is missing");
  EXPECT_TRUE(parse_words("", "attest.secret_auth=no").failure);
}

TEST(Words, AMistakeElsewhereDoesNotLoseTheWayOut) {
  const ParsedWords parsed = parse_words("attest.timeout=never\n", "attest.nonsense=1 attest.debug_exit=0xf4");
  ASSERT_TRUE(parsed.failure);
  EXPECT_EQ(parsed.failure->text, "guest.conf: attest.timeout has no value 'never'");
  EXPECT_EQ(parsed.words.debug_exit, 0xf4);
}

TEST(Words, AFileHasOneWordALine) {
  const ParsedWords parsed = parse_words("attest.vmpl=1 attest.timeout=3\n", kAuth);
  ASSERT_TRUE(parsed.failure);
  EXPECT_EQ(parsed.failure->text, "guest.conf: 'attest.timeout=3' follows a word");
  EXPECT_TRUE(parse_words("vmpl=1\n", kAuth).failure);
}

TEST(Words, WhatIsShownIsPrintable) {
  const ParsedWords parsed = on_command_line("attest.\x1b[2J=1");
  ASSERT_TRUE(parsed.failure);
  EXPECT_NE(parsed.failure->text.find("'attest.?[2J'"), std::string::npos) << parsed.failure->text;
}

TEST(Words, TextsAreBounded) {
  const std::string comment = "# " + std::string(kMaxWordsBytes - 3, 'x') + "\n";
  ASSERT_EQ(comment.size(), kMaxWordsBytes);
  EXPECT_FALSE(parse_words(comment, kAuth).failure);
  EXPECT_TRUE(parse_words(comment + "\n", kAuth).failure);
}

TEST(Words, TheirTextReadsTheSame) {
  for (const char* const words :
       {"", "attest.transport=uart:0x3e8 attest.secret=fifo:/run/k attest.next=exec:/next", "attest.transport=vsock",
        "attest.transport=virtio-serial attest.firmware=simulated attest.debug_exit=0xf4"}) {
    const ParsedWords parsed = on_command_line(words);
    ASSERT_FALSE(parsed.failure) << words;
    const ParsedWords again = parse_words(words_text(parsed.words), "");
    ASSERT_FALSE(again.failure) << again.failure->text;
    EXPECT_EQ(parsed.words, again.words) << words;
  }
}

}  // namespace
}  // namespace attestbed::guest
