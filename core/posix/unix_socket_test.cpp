// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/posix/fd_transport.h"

namespace attestbed::posix {
namespace {

namespace fs = std::filesystem;

class UnixSocket : public testing::Test {
 protected:
  UnixSocket() {
    std::string pattern = testing::TempDir() + "attestbed-unix-XXXXXX";
    directory_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
    path_ = directory_ + "/line";
  }
  ~UnixSocket() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  Result<Fd> listen(IfExists if_exists = IfExists::refuse) { return listen_unix(path_, 4, if_exists); }
  Result<Fd> connect() { return connect_unix(path_, clock_, soon()); }
  Deadline soon() { return clock_.now() + std::chrono::seconds(30); }
  void leave_a_stale_socket() { ASSERT_TRUE(listen()); }  // closed at once; its name stays

  static void expect_errno(const Result<Fd>& got, int error) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::transport) << describe(got.error());
    EXPECT_EQ(got.error().found, static_cast<std::uint64_t>(error)) << describe(got.error());
  }

  SteadyClock clock_;
  std::string directory_, path_;
};

TEST_F(UnixSocket, CarriesOctetsBetweenTwoPrograms) {
  const Result<Fd> listener = listen();
  ASSERT_TRUE(listener);
  Result<Fd> client = connect();
  ASSERT_TRUE(client);
  FdTransport guest(std::move(*client), clock_);
  FdTransport proxy(Fd(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC)), clock_);
  ASSERT_TRUE(guest.write_all(bytes_of("hello"), soon()));
  ByteArray<16> room{};
  const Result<std::size_t> got = proxy.read_some(room, soon());
  ASSERT_TRUE(got);
  EXPECT_EQ(text_of(Bytes(room).first(*got)), "hello");
}

TEST_F(UnixSocket, HasMode0600WhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    const mode_t before = umask(mask);
    const Result<Fd> listener = listen();
    umask(before);
    ASSERT_TRUE(listener);
    struct stat about {};
    ASSERT_EQ(lstat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, mode_t{0600}) << "umask " << mask;
    fs::remove(path_);
  }
}

TEST_F(UnixSocket, RefusesAPathThatExists) {
  leave_a_stale_socket();
  expect_errno(listen(), EADDRINUSE);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(UnixSocket, TakesAStaleSocketOver) {
  leave_a_stale_socket();
  const Result<Fd> listener = listen(IfExists::take_over);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(connect());
}

TEST_F(UnixSocket, TakesAFreePath) {
  EXPECT_TRUE(listen(IfExists::take_over));
}

TEST_F(UnixSocket, NeverTakesALiveSocketOver) {
  const Result<Fd> listener = listen();
  ASSERT_TRUE(listener);
  expect_errno(listen(IfExists::take_over), EADDRINUSE);
  EXPECT_TRUE(connect()) << "the first listener still serves the path";
}

TEST_F(UnixSocket, NeverTakesABusySocketOver) {
  const Result<Fd> listener = listen_unix(path_, 0, IfExists::refuse);
  ASSERT_TRUE(listener);
  const Result<Fd> waiting = connect();  // nobody accepts: the queue is full now
  ASSERT_TRUE(waiting);
  expect_errno(listen(IfExists::take_over), EADDRINUSE);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(UnixSocket, NeverRemovesWhatIsNoSocket) {
  ASSERT_TRUE(write_file_private(path_, bytes_of("precious")));
  expect_errno(listen(IfExists::take_over), ENOTSOCK);
  EXPECT_EQ(*read_file(path_, 100), "precious");

  fs::remove(path_);
  fs::create_directory(path_);
  expect_errno(listen(IfExists::take_over), ENOTSOCK);
  EXPECT_TRUE(fs::is_directory(path_));
}

TEST_F(UnixSocket, NeverFollowsALinkToASocket) {
  leave_a_stale_socket();
  const std::string elsewhere = path_;
  path_ += ".link";
  fs::create_symlink(elsewhere, path_);
  expect_errno(listen(IfExists::take_over), ENOTSOCK);
  EXPECT_TRUE(fs::exists(elsewhere));
}

TEST_F(UnixSocket, OnlyOneTakesOverAtATime) {
  leave_a_stale_socket();
  const Fd other(open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
  expect_errno(listen(IfExists::take_over), EWOULDBLOCK);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(UnixSocket, ALockFileThatSomebodyLeftIsInNobodysWay) {
  leave_a_stale_socket();
  ASSERT_TRUE(write_file_private(path_ + ".lock", {}));
  EXPECT_TRUE(listen(IfExists::take_over));
  EXPECT_FALSE(fs::exists(path_ + ".lock"));
}

// Whoever may read a directory may lock it, and another socket's name is another matter.
TEST_F(UnixSocket, ALockedDirectoryOrAnotherSocketStopsNobody) {
  leave_a_stale_socket();
  const Fd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(directory.get(), LOCK_EX), 0);
  const Fd other(open((directory_ + "/another.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
  EXPECT_TRUE(listen(IfExists::take_over));
}

TEST_F(UnixSocket, OfManyWhoTakeOverAtOnceOneListens) {
  for (int round = 0; round < 20; ++round) {
    leave_a_stale_socket();
    std::array<Fd, 4> got;
    std::vector<std::thread> threads;
    for (Fd& one : got) {
      threads.emplace_back([&] {
        if (Result<Fd> listener = listen(IfExists::take_over)) one = *std::move(listener);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::ranges::count_if(got, [](const Fd& one) { return static_cast<bool>(one); }), 1);
    EXPECT_TRUE(connect()) << "the one who was told so has the name";
    fs::remove(path_);
  }
}

TEST_F(UnixSocket, ANameIsRemovedByItsOwnerAlone) {
  std::optional<Fd> first(*listen());
  std::optional<OwnedSocketPath> owned(path_);
  owned.reset();
  EXPECT_FALSE(fs::exists(path_));

  first = *listen();
  owned.emplace(path_);
  // Not at once: a new socket could get the inode that a removed one had.
  fs::rename(path_, path_ + ".old");
  const Result<Fd> successor = listen();
  owned.reset();
  EXPECT_TRUE(connect()) << "the successor still has it";
  OwnedSocketPath nothing(directory_ + "/never-made");
}

TEST_F(UnixSocket, RefusesPathsThatSocketsCannotHave) {
  const std::string longest(107, 'x');
  for (const std::string& path : {std::string(), longest + "x", std::string("a\0b", 3)}) {
    const Result<Fd> listener = listen_unix(path, 4, IfExists::refuse);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, Errc::bad_config);
    EXPECT_EQ(listener.error().found, path.size());
    EXPECT_EQ(listener.error().expected, 107U);
    const Result<Fd> client = connect_unix(path, clock_, soon());
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::bad_config);
  }
}

TEST_F(UnixSocket, ConnectSaysWhyItCannot) {
  expect_errno(connect(), ENOENT);
  leave_a_stale_socket();
  expect_errno(connect(), ECONNREFUSED);
}

TEST_F(UnixSocket, ConnectToAFullQueueEndsAtTheDeadline) {
  const Result<Fd> listener = listen_unix(path_, 0, IfExists::refuse);
  ASSERT_TRUE(listener);
  const Result<Fd> first = connect();
  ASSERT_TRUE(first);
  const Deadline until = clock_.now() + std::chrono::milliseconds(20);
  const Result<Fd> second = connect_unix(path_, clock_, until);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::deadline);
  EXPECT_GE(clock_.now(), until);
}

}  // namespace
}  // namespace attestbed::posix
