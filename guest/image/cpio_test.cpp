// SPDX-License-Identifier: Apache-2.0
#include "guest/image/cpio.h"

#include <gtest/gtest.h>

namespace attestbed::guest {
namespace {

// Written by hand from the kernel's buffer-format document: 110 octets of header, name and contents padded to four.
TEST(Cpio, AnArchiveIsWhatTheFormatSays) {
  CpioArchive archive;
  ASSERT_TRUE(archive.add_file("/a/hello", CpioArchive::Mode::program, "hello"));
  ASSERT_TRUE(archive.add_console());
  const std::string expected =
      "070701"
      "00000001"
      "000041ed"
      "00000000"
      "00000000"
      "00000002"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000002"
      "00000000" +
      std::string("a\0", 2) +
      "070701"
      "00000002"
      "000081ed"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000005"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000008"
      "00000000" +
      std::string("a/hello\0\0\0hello\0\0\0", 18) +
      "070701"
      "00000003"
      "000041ed"
      "00000000"
      "00000000"
      "00000002"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000004"
      "00000000" +
      std::string("dev\0\0\0", 6) +
      "070701"
      "00000004"
      "00002180"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000005"
      "00000001"
      "0000000c"
      "00000000" +
      std::string("dev/console\0\0\0", 14) +
      "070701"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "0000000b"
      "00000000" +
      std::string("TRAILER!!!\0\0\0\0", 14);
  EXPECT_EQ(archive.octets(), expected);
}

TEST(Cpio, TheOrderOfAddingDoesNotMatter) {
  CpioArchive one, other;
  ASSERT_TRUE(one.add_file("/b", CpioArchive::Mode::data, "2"));
  ASSERT_TRUE(one.add_folder("/a"));
  ASSERT_TRUE(one.add_file("/a/x", CpioArchive::Mode::data, "1"));
  ASSERT_TRUE(other.add_file("/a/x", CpioArchive::Mode::data, "1"));
  ASSERT_TRUE(other.add_folder("/a"));
  ASSERT_TRUE(other.add_file("/b", CpioArchive::Mode::data, "2"));
  EXPECT_EQ(one.octets(), other.octets());
}

TEST(Cpio, PathsThatAreNoPathsOrTakenAreRefused) {
  CpioArchive archive;
  ASSERT_TRUE(archive.add_file("/file", CpioArchive::Mode::data, ""));
  for (const std::string& path :
       {std::string(""), std::string("/"), std::string("a"), std::string("/a//b"), std::string("/a/"),
        std::string("/../a"), std::string("/a/./b"), std::string("/a/.."), std::string("/a\0b", 4),
        "/" + std::string(1024, 'a'), std::string("/file"), std::string("/file/below")}) {
    const Outcome<void> added = archive.add_file(path, CpioArchive::Mode::data, "");
    ASSERT_FALSE(added) << path;
    EXPECT_EQ(added.error().error.code, Errc::bad_config);
  }
  EXPECT_FALSE(archive.add_folder("/file"));
}

}  // namespace
}  // namespace attestbed::guest
