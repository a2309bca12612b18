// SPDX-License-Identifier: Apache-2.0
#include "core/posix/fd_transport.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace attestbed::posix {
namespace {

Error failed(const char* what, int error) {
  return {Errc::transport, what, static_cast<std::uint64_t>(error)};
}

/// NoSigpipe keeps SIGPIPE from the calling thread while it writes to what may be a pipe, which has no MSG_NOSIGNAL.
/// The disposition belongs to the whole process and is not ours to change.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    constexpr timespec kNow{};
    // One that waited before is somebody else's and stays.
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &kNow) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

int write_to_pipe(int fd, Bytes from, ssize_t& wrote) {
  const NoSigpipe quiet;
  wrote = write(fd, from.data(), from.size());
  return wrote < 0 ? errno : 0;
}

}  // namespace

FdTransport::FdTransport(Fd fd, Clock& clock) : fd_(std::move(fd)), clock_(clock), kind_(Kind::other) {
  struct stat about {};
  if (fstat(fd_.get(), &about) == 0) {
    if (S_ISSOCK(about.st_mode)) kind_ = Kind::socket;
    if (S_ISCHR(about.st_mode)) kind_ = Kind::terminal;
  }
  // A descriptor that cannot be made non-blocking cannot be read either: the first call says so.
  const int flags = fcntl(fd_.get(), F_GETFL);
  if (flags >= 0) fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);
}

/// wait returns what poll says about our descriptor once `events` or an end of the line is there.
Result<short> FdTransport::wait(short events, Deadline until) {
  using namespace std::chrono;
  if (!fd_) return failed("poll", EBADF);
  std::array<pollfd, 2> watched{pollfd{fd_.get(), events, 0}, pollfd{cancel_fd_, POLLIN, 0}};
  for (;;) {
    timespec left{};
    if (until != kNever) {
      const nanoseconds remaining = until - clock_.now();
      if (remaining <= nanoseconds::zero()) return Error{Errc::deadline, "line"};
      const seconds whole = duration_cast<seconds>(remaining);
      left = {.tv_sec = whole.count(), .tv_nsec = (remaining - whole).count()};
    }
    // A negative descriptor is ignored by poll, so no cancel descriptor needs no second case.
    const int ready = ppoll(watched.data(), watched.size(), until == kNever ? nullptr : &left, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return failed("poll", errno);
    if (ready == 0) return Error{Errc::deadline, "line"};
    if (watched[1].revents != 0) return Error{Errc::closed, "line: stopped by this program"};
    if ((watched[0].revents & POLLNVAL) != 0) return failed("poll", EBADF);
    return watched[0].revents;
  }
}

Result<std::size_t> FdTransport::read_some(MutBytes into, Deadline until) {
  if (into.empty()) return Error{Errc::bad_length, "read_some", 0, 1};
  for (;;) {
    const short events = TRY(wait(POLLIN, until));
    const ssize_t got = read(fd_.get(), into.data(), into.size());
    if (got > 0) return static_cast<std::size_t>(got);
    const int error = got < 0 ? errno : 0;
    if (error == EINTR) continue;
    // Readiness may be withdrawn (another reader, a checksum), but not the end of the line: that would spin.
    if (error == EAGAIN && (events & (POLLHUP | POLLERR)) == 0) continue;
    // How Linux says that the peer is gone: a socket with our octets unread at its end resets, a terminal whose other
    // side was closed reports EIO.
    const bool gone = got == 0 || error == ECONNRESET || error == EAGAIN || (kind_ == Kind::terminal && error == EIO);
    if (gone) return Error{Errc::closed, "line"};
    return failed("read", error);
  }
}

Status FdTransport::write_all(Bytes from, Deadline until) {
  while (!from.empty()) {
    const short events = TRY(wait(POLLOUT, until));
    ssize_t wrote = 0;
    int error = 0;
    if (kind_ == Kind::socket) {
      wrote = send(fd_.get(), from.data(), from.size(), MSG_NOSIGNAL);
      error = wrote < 0 ? errno : 0;
    } else {
      error = write_to_pipe(fd_.get(), from, wrote);
    }
    if (wrote > 0) from = from.subspan(static_cast<std::size_t>(wrote));
    if (error == EINTR || (error == EAGAIN && (events & (POLLHUP | POLLERR)) == 0)) continue;
    if (error != 0) return failed("write", error == EAGAIN ? EPIPE : error);
  }
  return ok();
}

}  // namespace attestbed::posix
