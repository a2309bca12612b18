// SPDX-License-Identifier: Apache-2.0
#include "guest/init/fifo_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/base/secret.h"
#include "core/posix/clock.h"
#include "guest/hardening.h"

namespace attestbed::guest {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};
constexpr unsigned kLastDescriptor = ~0U;

// A handler of PID 1 ends the machine; here a signal ends this process, as the kernel does it.
void give_up_handlers() {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &usual, nullptr);
  usual.sa_handler = SIG_IGN;  // a reader that leaves is an errno
  ::sigaction(SIGPIPE, &usual, nullptr);
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
}

// The console, the proxy's line and the firmware among them.
void close_all_but(int one, int other) {
  const auto low = static_cast<unsigned>(std::min(one, other)), high = static_cast<unsigned>(std::max(one, other));
  if (low > 0) ::close_range(0, low - 1, 0);
  if (high > low + 1) ::close_range(low + 1, high - 1, 0);
  ::close_range(high + 1, kLastDescriptor, 0);
}

class Writer {
 public:
  explicit Writer(FifoWriting writing) : with_(std::move(writing)) {}

  bool run() {
    keep_out_of_swap({reinterpret_cast<const std::uint8_t*>(&secret_), sizeof secret_});
    const Came came = take_secret();
    with_.secret.reset();
    const bool done = came == Came::whole ? hand_on() : came == Came::none;
    secret_.clear();
    ::unlinkat(with_.folder.get(), with_.name.c_str(), 0);
    return done;
  }

 private:
  enum class Came { whole, none, broken };

  Came take_secret() {
    const Deadline until = clock_.now() + with_.attempt;
    std::uint32_t size = 0;
    ByteArray<sizeof size> head{};
    const std::size_t got = read_whole(head, until);
    if (got == 0) return Came::none;
    std::memcpy(&size, head.data(), sizeof size);
    if (got != sizeof size || size > kMaxSecretBytes) return Came::broken;
    return read_whole(secret_.expose_mut(size), until) == size ? Came::whole : Came::broken;
  }

  std::size_t read_whole(MutBytes into, Deadline until) {
    std::size_t got = 0;
    while (got < into.size() && ready(with_.secret.get(), POLLIN, until)) {
      const ssize_t more = ::read(with_.secret.get(), into.data() + got, into.size() - got);
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) break;
      got += static_cast<std::size_t>(more);
    }
    return got;
  }

  bool hand_on() {
    const Deadline until = clock_.now() + with_.patience;
    for (;;) {
      const posix::Fd pipe = open_for_reader(with_.name);
      if (pipe) return write_whole(pipe.get(), until);
      if (errno != ENXIO || clock_.now() >= until) return end_without_reader();
      clock_.wait_until(std::min<Instant>(clock_.now() + kLookAgain, until));
    }
  }

  // Fails with ENXIO as long as nobody reads.
  posix::Fd open_for_reader(const std::string& name) {
    return posix::Fd(::openat(with_.folder.get(), name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  }

  // Somebody may have begun to open it since we looked, and would wait for a writer for ever. Under another name nobody
  // comes any more; whoever is there sees a writer come and go.
  bool end_without_reader() {
    const std::string aside = "." + with_.name + ".ended";
    if (::renameat(with_.folder.get(), with_.name.c_str(), with_.folder.get(), aside.c_str()) == 0) {
      (void)open_for_reader(aside);
      ::unlinkat(with_.folder.get(), aside.c_str(), 0);
    }
    return false;
  }

  bool write_whole(int pipe, Deadline until) {
    Bytes left = secret_.expose();
    while (!left.empty() && ready(pipe, POLLOUT, until)) {
      const ssize_t wrote = ::write(pipe, left.data(), left.size());
      if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (wrote < 0) break;
      left = left.subspan(static_cast<std::size_t>(wrote));
    }
    return left.empty();
  }

  bool ready(int fd, short events, Deadline until) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.now()).count();
      if (left <= 0) return false;
      pollfd waiting{fd, events, 0};
      const int found = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
      if (found > 0) return true;
      if (found < 0 && errno != EINTR) return false;
    }
  }

  FifoWriting with_;
  posix::SteadyClock clock_;
  SecretBuffer<kMaxSecretBytes> secret_;
};

}  // namespace

void write_fifo(FifoWriting writing) {
  give_up_handlers();
  close_all_but(writing.secret.get(), writing.folder.get());
  const bool done = Writer(std::move(writing)).run();
  ::_exit(done ? 0 : 1);
}

}  // namespace attestbed::guest
