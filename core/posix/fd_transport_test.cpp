// SPDX-License-Identifier: Apache-2.0
#include "core/posix/fd_transport.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "core/posix/clock.h"
#include "core/posix/one_fd_line.h"
#include "core/posix/pty_pair.h"
#include "core/posix/transport_contract.h"

namespace attestbed::posix {
namespace {

struct UnixSocketPair : OneFdLine {
  static constexpr bool kKeepsDataOnClose = true;
  UnixSocketPair() {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    open(Fd(ends[0]), Fd(ends[1]));
  }
};

/// raw_pty is a pseudo terminal without line discipline: octets pass as they are.
std::pair<Fd, Fd> raw_pty() {
  Pty pty;
  Fd terminal(::open(pty.device.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios mode{};
  must(terminal && tcgetattr(terminal.get(), &mode) == 0, "tcgetattr");
  cfmakeraw(&mode);
  must(tcsetattr(terminal.get(), TCSANOW, &mode) == 0, "tcsetattr");
  return {std::move(pty.controller), std::move(terminal)};
}

struct PtyPair : OneFdLine {
  static constexpr bool kKeepsDataOnClose = true;
  PtyPair() {
    auto [controller, terminal] = raw_pty();
    open(std::move(controller), std::move(terminal));
  }
};

struct PtyPairFromTheTerminal : OneFdLine {
  static constexpr bool kKeepsDataOnClose = false;  // Linux hangs the terminal up, which flushes its input
  PtyPairFromTheTerminal() {
    auto [controller, terminal] = raw_pty();
    open(std::move(terminal), std::move(controller));
  }
};

/// PipePair is two pipes, one for each direction; an end is two transports.
class PipePair {
 public:
  static constexpr bool kKeepsDataOnClose = true;
  PipePair() {
    int there[2], back[2];
    must(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0, "pipe2");
    near_.emplace(Fd(back[0]), Fd(there[1]), clock_);
    far_.emplace(Fd(there[0]), Fd(back[1]), clock_);
    near_->in.cancel_on(cancel_.fd());
    near_->out.cancel_on(cancel_.fd());
  }
  Transport& near() { return *near_; }
  Transport& far() { return *far_; }
  void close_far() { far_.reset(); }
  void cancel_near() { cancel_.now(); }
  Clock& clock() { return clock_; }

 private:
  struct End final : Transport {
    End(Fd from, Fd to, Clock& clock) : in(std::move(from), clock), out(std::move(to), clock) {}
    Result<std::size_t> read_some(MutBytes into, Deadline until) override { return in.read_some(into, until); }
    Status write_all(Bytes from, Deadline until) override { return out.write_all(from, until); }
    FdTransport in, out;
  };
  SteadyClock clock_;
  Cancel cancel_;
  std::optional<End> near_, far_;
};

}  // namespace
}  // namespace attestbed::posix

// A typed suite is instantiated where its templates live.
namespace attestbed {

using FdLines = testing::Types<posix::UnixSocketPair, posix::PtyPair, posix::PtyPairFromTheTerminal, posix::PipePair>;
class FdLineNames {
 public:
  template <class Line>
  static std::string GetName(int) {
    if constexpr (std::is_same_v<Line, posix::UnixSocketPair>) return "UnixSocketPair";
    if constexpr (std::is_same_v<Line, posix::PtyPair>) return "PtyPair";
    if constexpr (std::is_same_v<Line, posix::PtyPairFromTheTerminal>) return "PtyPairFromTheTerminal";
    return "PipePair";
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fd, TransportContract, FdLines, FdLineNames);
INSTANTIATE_TYPED_TEST_SUITE_P(Fd, CancellableTransportContract, FdLines, FdLineNames);

}  // namespace attestbed

namespace attestbed::posix {
namespace {

bool sigpipe_is_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

TEST(FdTransport, LeavesSigpipeAsItWas) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  ASSERT_EQ(sigismember(&before, SIGPIPE), 0);
  PipePair line;
  line.close_far();
  EXPECT_FALSE(line.near().write_all(counting(10), kNever));
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGPIPE), 0);
  EXPECT_FALSE(sigpipe_is_pending());
}

TEST(FdTransport, LeavesAPendingSigpipePending) {
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ASSERT_EQ(pthread_kill(pthread_self(), SIGPIPE), 0);
  PipePair line;
  line.close_far();
  EXPECT_FALSE(line.near().write_all(counting(10), kNever));
  EXPECT_TRUE(sigpipe_is_pending());
  constexpr timespec kNow{};
  sigtimedwait(&pipe_signal, nullptr, &kNow);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(FdTransport, SignalsDoNotEndAWait) {
  struct sigaction counts {
  }, before{};
  counts.sa_handler = [](int) {};  // without SA_RESTART: system calls return EINTR
  ASSERT_EQ(sigaction(SIGUSR1, &counts, &before), 0);
  UnixSocketPair line;
  const pthread_t reader = pthread_self();
  std::thread sender([&] {
    for (int i = 0; i < 200; ++i) pthread_kill(reader, SIGUSR1);
    EXPECT_TRUE(line.far().write_all(counting(1), line.clock().now() + kPatience));
  });
  ByteArray<1> room{};
  const Result<std::size_t> got = line.near().read_some(room, line.clock().now() + kPatience);
  sender.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_TRUE(got);
}

TEST(FdTransport, OfNoDescriptorIsATransportError) {
  SteadyClock clock;
  FdTransport line{Fd{}, clock};
  ByteArray<1> room{};
  const Result<std::size_t> got = line.read_some(room, kNever);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::transport);
  EXPECT_EQ(got.error().found, static_cast<std::uint64_t>(EBADF));
  const Status wrote = line.write_all(room, kNever);
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().found, static_cast<std::uint64_t>(EBADF));
}

}  // namespace
}  // namespace attestbed::posix
