// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    fs::remove(path_);
  }
}

class NewFiles : public File, public testing::WithParamInterface<NewFile> {
 protected:
  Status make(const std::string& path) { return write_file_private(path, bytes_of("secret"), GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Both, NewFiles, testing::Values(NewFile::linked, NewFile::renamed),
                         [](const auto& i) { return i.param == NewFile::linked ? "Linked" : "Renamed"; });

TEST_P(NewFiles, ArePrivateAndLeaveNothingBeside) {
  ASSERT_TRUE(make(path_));
  EXPECT_EQ(*read_file(path_, 100), "secret");
  struct stat about {};
  ASSERT_EQ(lstat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, mode_t{0600});
  EXPECT_EQ(about.st_nlink, 1U);
  EXPECT_EQ(entries(), 1U);
}

TEST_P(NewFiles, NeverReplaceAnything) {
  const std::string target = directory_ + "/target", link = directory_ + "/link";
  std::ofstream(path_) << "precious";
  fs::create_symlink(target, link);
  fs::create_directory(directory_ + "/folder");
  for (const std::string& taken : {path_, link, directory_ + "/folder"}) {
    const Status wrote = make(taken);
    ASSERT_FALSE(wrote) << taken;
    EXPECT_EQ(wrote.error().code, Errc::io_failed);
    EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(EEXIST)) << taken;
  }
  EXPECT_EQ(*read_file(path_, 100), "precious");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_FALSE(fs::exists(target));
  EXPECT_EQ(entries(), 3U) << "no provisional file stays";
}

TEST_P(NewFiles, NeedTheirDirectory) {
  for (const std::string& path : {directory_ + "/none/secret", directory_ + "/"}) {
    const Status wrote = make(path);
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().code, Errc::io_failed);
    EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(path.back() == '/' ? EISDIR : ENOENT));
  }
  EXPECT_EQ(entries(), 0U);
}

// Root may do anything anywhere, so this happens in a child that is nobody.
TEST_P(NewFiles, AreWholeOrNotThereInADirectoryThatMayNotBeRead) {
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  for (const auto& [mode, succeeds] : {std::pair{mode_t{0300}, true}, std::pair{mode_t{0500}, false}}) {
    const std::string folder = directory_ + "/folder" + std::to_string(mode);
    fs::create_directory(folder);
    ASSERT_EQ(chmod(folder.c_str(), mode), 0);
    if (root) {
      ASSERT_EQ(chown(folder.c_str(), kNobody, kNobody), 0);
      ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
    }
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (root && setresuid(kNobody, kNobody, kNobody) != 0) _exit(2);
      _exit(make(folder + "/secret") ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << status;
    ASSERT_EQ(chmod(folder.c_str(), 0700), 0);
    EXPECT_EQ(WEXITSTATUS(status), succeeds ? 0 : 1) << mode;
    EXPECT_EQ(fs::exists(folder + "/secret"), WEXITSTATUS(status) == 0) << "what it says is what there is";
    EXPECT_EQ(fs::is_empty(folder), !succeeds);
  }
}

TEST_F(File, ReplacedWhenThatIsWanted) {
  std::ofstream(path_) << "old and longer than the new one";
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  ASSERT_TRUE(replace_file_private(path_, bytes_of("new")));
  EXPECT_EQ(*read_file(path_, 100), "new");
  struct stat about {};
  ASSERT_EQ(lstat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, mode_t{0600});
  EXPECT_EQ(entries(), 1U);
}

TEST_F(File, ReplacedIsALinkAndNotItsTarget) {
  const std::string target = directory_ + "/target";
  std::ofstream(target) << "untouched";
  fs::create_symlink(target, path_);
  ASSERT_TRUE(replace_file_private(path_, bytes_of("secret")));
  EXPECT_FALSE(fs::is_symlink(path_));
  EXPECT_EQ(*read_file(target, 100), "untouched");
}

TEST_F(File, LeavesNothingWhenItCannotBeNamed) {
  fs::create_directory(path_);
  const Status wrote = replace_file_private(path_, bytes_of("secret"));
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::io_failed);
  EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(EISDIR));
  EXPECT_EQ(entries(), 1U) << "the temporary file is gone";
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

TEST_F(File, OfSeveralPiecesIsReadWhole) {
  const std::string octets(300'000, 'x');
  std::ofstream(path_) << octets;
  EXPECT_EQ(*read_file(path_, octets.size()), octets);
  EXPECT_EQ(read_file(path_, octets.size() - 1).error().code, Errc::too_large);
}

// Nobody ever writes into this FIFO: a read_file that opened it as usual would never come back.
TEST_F(File, ThatIsNoRegularFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  for (const std::string& path : {path_, std::string("/dev/zero"), std::string("/dev/null")}) {
    const Result<std::string> read = read_file(path, 300'000);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code, Errc::io_failed);
    EXPECT_EQ(std::string(read.error().where), kNotRegular);
  }
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
