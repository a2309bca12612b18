// SPDX-License-Identifier: Apache-2.0
#include "core/posix/vsock.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <cerrno>

#include "core/posix/clock.h"

namespace attestbed::posix {
namespace {

TEST(Vsock, WildcardsNameNobody) {
  SteadyClock clock;
  for (const auto& [cid, port] : {std::pair{VMADDR_CID_ANY, 1995U}, std::pair{1U, VMADDR_PORT_ANY}}) {
    const Result<Fd> line = connect_vsock(cid, port, clock, kNever);
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().code, Errc::bad_config);
  }
  const Result<Fd> listener = listen_vsock(VMADDR_PORT_ANY, 1);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, Errc::bad_config);
}

TEST(Vsock, APassedDeadlineIsNoConnection) {
  SteadyClock clock;
  const Result<Fd> line = connect_vsock(kVsockLoopbackCid, kDefaultVsockPort, clock, clock.now());
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::deadline);
}

/// True if socket(2) knows the family; then `error` is 0, else why not.
bool kernel_has_vsock(int& error) {
  const Fd probe(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  error = probe ? 0 : errno;
  return static_cast<bool>(probe);
}

TEST(Vsock, AKernelWithoutItSaysSo) {
  int error = 0;
  if (kernel_has_vsock(error)) GTEST_SKIP() << "this kernel has vsock";
  SteadyClock clock;
  const Result<Fd> line = connect_vsock(kVsockHostCid, kDefaultVsockPort, clock, kNever);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::vsock_unavailable);
  EXPECT_EQ(line.error().found, static_cast<std::uint64_t>(error));
  const Result<Fd> listener = listen_vsock(kDefaultVsockPort, 1);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, Errc::vsock_unavailable);
}

// The kernel ends a connect that nobody answers after 2 s with ETIMEDOUT. Where the loopback transport is there, the
// refusal is immediate: nobody listens on this port, which is above those that a system service would have.
TEST(Vsock, NobodyThereIsNamed) {
  int error = 0;
  if (!kernel_has_vsock(error)) GTEST_SKIP() << "no vsock: errno " << error;
  SteadyClock clock;
  const Result<Fd> line = connect_vsock(kVsockLoopbackCid, 0xfffffff0, clock, clock.now() + std::chrono::seconds(60));
  ASSERT_FALSE(line);
  if (line.error().found == static_cast<std::uint64_t>(ECONNRESET)) {
    EXPECT_EQ(line.error().code, Errc::transport);
  } else {
    EXPECT_EQ(line.error().code, Errc::vsock_unavailable) << "errno " << line.error().found;
  }
}

TEST(Vsock, AnUnansweredConnectEndsAtTheDeadline) {
  int error = 0;
  if (!kernel_has_vsock(error)) GTEST_SKIP() << "no vsock: errno " << error;
  SteadyClock clock;
  const Deadline until = clock.now() + std::chrono::milliseconds(20);
  const Result<Fd> line = connect_vsock(kVsockLoopbackCid, 0xfffffff0, clock, until);
  ASSERT_FALSE(line);
  if (line.error().code != Errc::deadline) GTEST_SKIP() << "this kernel answers at once: errno " << line.error().found;
  EXPECT_GE(clock.now(), until);
}

TEST(Vsock, APortIsListenedOnOnce) {
  int error = 0;
  if (!kernel_has_vsock(error)) GTEST_SKIP() << "no vsock: errno " << error;
  // Any free port; another run of this test may have the first ones.
  Result<Fd> first = listen_vsock(52000, 1);
  std::uint32_t port = 52000;
  while (!first && first.error().found == static_cast<std::uint64_t>(EADDRINUSE) && port < 52064) {
    first = listen_vsock(++port, 1);
  }
  ASSERT_TRUE(first) << error_name(first.error().code) << " errno " << first.error().found;
  const Result<Fd> second = listen_vsock(port, 1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::transport);
  EXPECT_EQ(second.error().found, static_cast<std::uint64_t>(EADDRINUSE));
}

TEST(Vsock, OfAnotherSocketThereIsNoCid) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]), other(ends[1]);
  EXPECT_FALSE(vsock_peer_cid(one.get()));
  EXPECT_FALSE(vsock_peer_cid(-1));
}

}  // namespace
}  // namespace attestbed::posix
