// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/scratch_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tools/launch/siblings.h"

namespace attestbed::launch {
namespace {

namespace fs = std::filesystem;

TEST(ScratchDir, IsPrivateAndGoesAwayWithItsContent) {
  std::string path;
  {
    const Outcome<ScratchDir> dir = ScratchDir::make();
    ASSERT_TRUE(dir) << dir.error().text();
    path = dir->path();
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0700U);
    fs::create_directories(dir->file("a/b"));
    std::ofstream(dir->file("a/b/c")) << "x";
    EXPECT_LT(dir->file("attest-proxy.sock").size(), 108U);  // sizeof sockaddr_un::sun_path
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ScratchDir, ALinkInItIsRemovedAndItsTargetIsNot) {
  const Outcome<ScratchDir> target = ScratchDir::make();
  ASSERT_TRUE(target);
  std::ofstream(target->file("kept")) << "x";
  {
    const Outcome<ScratchDir> dir = ScratchDir::make();
    ASSERT_TRUE(dir);
    fs::create_directory_symlink(target->path(), dir->file("link"));
  }
  EXPECT_TRUE(fs::exists(target->file("kept")));
}

TEST(ScratchDir, AMovedFromOneRemovesNothing) {
  Outcome<ScratchDir> first = ScratchDir::make();
  ASSERT_TRUE(first);
  const ScratchDir second = *std::move(first);
  first = Failure{};
  EXPECT_TRUE(fs::exists(second.path()));
}

TEST(SiblingProgram, IsFoundBesideThisOneAndNowhereElse) {
  const auto self = sibling_program("launch_test");
  ASSERT_TRUE(self) << self.error().text();
  EXPECT_TRUE(fs::equivalent(*self, "/proc/self/exe"));
  const auto shell = sibling_program("sh");
  ASSERT_FALSE(shell);
  EXPECT_NE(shell.error().text().find("no such program beside"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::launch
