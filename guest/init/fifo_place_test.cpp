// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/posix/fd.h"
#include "guest/init/secret_places.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class FifoPlaceTest : public testing::Test {
 protected:
  FifoPlaceTest() {
    char name[] = "/tmp/attestbed-fifo-XXXXXX";
    root_ = ::mkdtemp(name);
    path_ = root_ + "/key";
  }
  ~FifoPlaceTest() override { fs::remove_all(root_); }

  bool there() const { return fs::exists(fs::symlink_status(path_)); }
  bool empty() const { return fs::is_empty(root_); }
  static int status_of(pid_t pid) {
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
  std::string read_all() const {
    std::ostringstream read;
    read << std::ifstream(path_).rdbuf();
    return read.str();
  }

  std::string root_, path_;
};

TEST_F(FifoPlaceTest, TheReaderGetsTheSecretAndThePipeIsGone) {
  FifoPlace place(path_, 60s);
  ASSERT_TRUE(place.check());
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_TRUE(S_ISFIFO(about.st_mode));
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  const std::string secret(32 * 1024, 's');
  const Result<std::string> taken = place.take(bytes_of(secret));
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, "fifo " + path_);
  EXPECT_EQ(read_all(), secret);
  EXPECT_EQ(status_of(place.writer()), 0);
  EXPECT_TRUE(empty());
}

TEST_F(FifoPlaceTest, AReaderThatWasThereFirstIsServedToo) {
  FifoPlace place(path_, 60s);
  ASSERT_TRUE(place.check());
  std::string got;
  std::thread reader([&] { got = read_all(); });
  EXPECT_TRUE(place.take(bytes_of("hello")));
  reader.join();
  EXPECT_EQ(got, "hello");
  EXPECT_EQ(status_of(place.writer()), 0);
}

TEST_F(FifoPlaceTest, TheWaitingProcessHasNeitherDescriptorsNorHandlersOfPid1) {
  const posix::Fd line(::open("/dev/null", O_RDWR | O_CLOEXEC));
  struct sigaction crash {
  }, before{};
  crash.sa_handler = [](int) { ::_exit(99); };
  ASSERT_EQ(::sigaction(SIGSEGV, &crash, &before), 0);
  FifoPlace place(path_, 60s);
  ASSERT_TRUE(place.check());
  ASSERT_TRUE(place.take(bytes_of("secret")));
  const std::string process = "/proc/" + std::to_string(place.writer());
  const auto descriptors = [&] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : fs::directory_iterator(process + "/fd")) ++count;
    return count;
  };
  // The secret is taken, and the pipe that it came through closed: the folder is left.
  for (int waited = 0; waited < 5000 && descriptors() != 1; ++waited) ::poll(nullptr, 0, 1);
  ASSERT_EQ(descriptors(), 1U);
  EXPECT_EQ(fs::read_symlink(fs::directory_iterator(process + "/fd")->path()), root_);
  std::string status, line_of_status, caught;
  for (std::ifstream text(process + "/status"); std::getline(text, line_of_status);) {
    if (line_of_status.starts_with("SigCgt:")) caught = line_of_status.substr(8);
  }
  // The first 31; signals 32 and 33 are the C library's own.
  EXPECT_EQ(std::stoull(caught, nullptr, 16) & 0x7fffffff, 0U) << caught;
  ::kill(place.writer(), SIGSEGV);
  const int ended = status_of(place.writer());
  ::sigaction(SIGSEGV, &before, nullptr);
  ASSERT_TRUE(WIFSIGNALED(ended)) << ended;
  EXPECT_EQ(WTERMSIG(ended), SIGSEGV);
}

TEST_F(FifoPlaceTest, APipeThatNobodyReadsIsGoneWithTheSecretWhenPatienceEnds) {
  FifoPlace place(path_, 1s);
  ASSERT_TRUE(place.check());
  ASSERT_TRUE(place.take(bytes_of("secret")));
  const int status = status_of(place.writer());
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_TRUE(empty());
}

TEST_F(FifoPlaceTest, AReaderThatStopsReadingDoesNotKeepTheSecret) {
  FifoPlace place(path_, 1s);
  ASSERT_TRUE(place.check());
  const posix::Fd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_EQ(::fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  ASSERT_TRUE(place.take(bytes_of(std::string(32 * 1024, 's'))));
  const int status = status_of(place.writer());
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_TRUE(empty());
}

TEST_F(FifoPlaceTest, WithoutASecretPipeAndProcessGoWithThePlace) {
  pid_t writer = -1;
  {
    FifoPlace place(path_, 60s);
    ASSERT_TRUE(place.check());
    EXPECT_TRUE(there());
    writer = place.writer();
  }
  EXPECT_TRUE(empty());
  EXPECT_EQ(::waitpid(writer, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(FifoPlaceTest, ASwitchedRootDoesNotLoseIt) {
  FifoPlace place(path_, 60s);
  ASSERT_TRUE(place.check());
  fs::rename(root_, root_ + "-moved");
  root_ += "-moved";
  path_ = root_ + "/key";
  ASSERT_TRUE(place.take(bytes_of("secret")));
  EXPECT_EQ(read_all(), "secret");
  EXPECT_EQ(status_of(place.writer()), 0);
  EXPECT_TRUE(empty());
}

TEST_F(FifoPlaceTest, WhatCannotBeMadeIsRefusedBeforeTheAttempt) {
  std::ofstream(path_) << "here";
  FifoPlace place(path_, 60s);
  EXPECT_EQ(place.check().error().found, static_cast<std::uint64_t>(EEXIST));
  EXPECT_TRUE(there());
  ASSERT_TRUE(place.failure());
  EXPECT_NE(place.failure()->text.find(path_), std::string::npos) << place.failure()->text;
  FifoPlace elsewhere(root_ + "/no/folder", 60s);
  EXPECT_EQ(elsewhere.check().error().found, static_cast<std::uint64_t>(ENOENT));
}

TEST_F(FifoPlaceTest, ASecretThatIsTooLongIsNotCut) {
  FifoPlace place(path_, 60s);
  ASSERT_TRUE(place.check());
  EXPECT_EQ(place.take(bytes_of(std::string(32 * 1024 + 1, 's'))).error().code, Errc::too_large);
}

}  // namespace
}  // namespace attestbed::guest
