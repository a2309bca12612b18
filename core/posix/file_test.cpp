// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/posix/describe.h"

namespace attestbed::posix {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  File() {
    std::string pattern = testing::TempDir() + "attestbed-file-XXXXXX";
    directory_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
    path_ = directory_ + "/secret";
  }
  ~File() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator{}));
  }
  std::string directory_, path_;
};

TEST_F(File, ReadsWhatWasWritten) {
  std::string octets;
  for (int i = 0; i < 200'000; ++i) octets += static_cast<char>(i % 251);
  ASSERT_TRUE(write_file_private(path_, bytes_of(octets)));
  const Result<std::string> back = read_file(path_, octets.size());
  ASSERT_TRUE(back);
  EXPECT_TRUE(*back == octets);
}

TEST_F(File, IsPrivateWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}}) {
    const mode_t before = umask(mask);
    const Status wrote = write_file_private(path_, bytes_of("secret"));
    umask(before);
    ASSERT_TRUE(wrote);
    struct stat about {};
    ASSERT_EQ(lstat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, mode_t{0600});
  }
}

TEST_F(File, ReplacesWhatWasThereAndLeavesNothingBeside) {
  std::ofstream(path_) << "old and longer than the new one";
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  ASSERT_TRUE(write_file_private(path_, bytes_of("new")));
  EXPECT_EQ(*read_file(path_, 100), "new");
  struct stat about {};
  ASSERT_EQ(lstat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, mode_t{0600});
  EXPECT_EQ(entries(), 1U);
}

TEST_F(File, ReplacesALinkAndNotItsTarget) {
  const std::string target = directory_ + "/target";
  std::ofstream(target) << "untouched";
  fs::create_symlink(target, path_);
  ASSERT_TRUE(write_file_private(path_, bytes_of("secret")));
  EXPECT_FALSE(fs::is_symlink(path_));
  EXPECT_EQ(*read_file(target, 100), "untouched");
}

TEST_F(File, LeavesNothingWhenItCannotBeNamed) {
  fs::create_directory(path_);
  const Status wrote = write_file_private(path_, bytes_of("secret"));
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::io_failed);
  EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(EISDIR));
  EXPECT_EQ(entries(), 1U) << "the temporary file is gone";
}

TEST_F(File, NeedsItsDirectory) {
  const Status wrote = write_file_private(directory_ + "/none/secret", bytes_of("secret"));
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::io_failed);
  EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(ENOENT));
}

TEST_F(File, IsReadUpToTheBoundAndNoFurther) {
  std::ofstream(path_) << "12345";
  EXPECT_EQ(*read_file(path_, 5), "12345");
  for (const std::size_t max : {std::size_t{0}, std::size_t{4}}) {
    const Result<std::string> read = read_file(path_, max);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::too_large);
    EXPECT_EQ(read.error().expected, max);
  }
}

TEST_F(File, WithoutEndIsTooLarge) {
  const Result<std::string> read = read_file("/dev/zero", 300'000);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::too_large);
}

TEST_F(File, EmptyIsRead) {
  std::ofstream(path_) << "";
  const Result<std::string> read = read_file(path_, 0);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, "");
}

TEST_F(File, UnreadableSaysWhy) {
  const Result<std::string> missing = read_file(path_, 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::io_failed);
  EXPECT_EQ(missing.error().found, static_cast<std::uint64_t>(ENOENT));
  const Result<std::string> directory = read_file(directory_, 10);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().found, static_cast<std::uint64_t>(EISDIR));
}

}  // namespace
}  // namespace attestbed::posix
