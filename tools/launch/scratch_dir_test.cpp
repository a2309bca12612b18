// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/scratch_dir.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
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

TEST(ScratchDir, SeveralGoAwayInAnyOrder) {
  Outcome<ScratchDir> first = ScratchDir::make();
  Outcome<ScratchDir> second = ScratchDir::make();
  ASSERT_TRUE(first && second);
  const std::string paths[] = {first->path(), second->path()};
  first = Failure{};
  EXPECT_FALSE(fs::exists(paths[0]));
  EXPECT_TRUE(fs::exists(paths[1]));
  second = Failure{};
  EXPECT_FALSE(fs::exists(paths[1]));
}

TEST(ScratchDir, GoesAwayAlsoWhenItsProcessIsKilled) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const Outcome<ScratchDir> dir = ScratchDir::make();
    std::ofstream(dir->file("secret")) << "x";
    [[maybe_unused]] const ssize_t written = ::write(ends[1], dir->path().c_str(), dir->path().size());
    ::kill(::getpid(), SIGKILL);
  }
  ::close(ends[1]);
  std::string path(64, 0);
  const ssize_t got = ::read(ends[0], path.data(), path.size());
  ASSERT_GT(got, 0);
  path.resize(static_cast<std::size_t>(got));
  ::close(ends[0]);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }  // the owner, and its remover, which came to this process
  EXPECT_TRUE(path.starts_with("/tmp/attestbed-")) << path;
  EXPECT_FALSE(fs::exists(path));
}

TEST(SiblingProgram, IsFoundBesideThisOneAndNowhereElse) {
  const auto self = sibling_program("launch_test");
  ASSERT_TRUE(self) << self.error().text();
  EXPECT_TRUE(fs::equivalent(*self, "/proc/self/exe"));
  const auto shell = sibling_program("sh");
  ASSERT_FALSE(shell);
  for (const char* said : {"no such program beside", "launch_test", "./run build", "install"}) {
    EXPECT_NE(shell.error().text().find(said), std::string::npos) << said << " in " << shell.error().text();
  }
}

}  // namespace
}  // namespace attestbed::launch
