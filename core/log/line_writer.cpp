// SPDX-License-Identifier: Apache-2.0
#include "core/log/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace attestbed::log {
namespace {

constexpr int kGlanceMs = 100;  // between two looks whether this is the end

// Whether somebody blocks or not belongs to the open file, which other processes share. Opened anew, a pipe or a
// terminal is a file of our own; a regular file would begin at its start again, and never blocks anyway.
int open_without_blocking(int fd, mode_t mode) {
  if (!S_ISFIFO(mode) && !S_ISCHR(mode)) return -1;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

// A program takes its signals where it likes; this thread is not the place.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

LineWriter::LineWriter(int fd) : fd_(fd) {
  struct stat about {};
  if (fstat(fd, &about) == 0) {
    is_socket_ = S_ISSOCK(about.st_mode);
    own_fd_ = open_without_blocking(fd, about.st_mode);
  }
  if (own_fd_ >= 0) fd_ = own_fd_;
  const NoSignals inherited;
  thread_ = std::thread([this] { serve(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (own_fd_ >= 0) close(own_fd_);
}

bool LineWriter::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() - written_ + line.size() > kMaxWaiting) return false;
  waiting_.append(line);
  // At once, if that is possible: whatever becomes of the process then, the line is out.
  offer_waiting();
  if (!waiting_.empty()) changed_.notify_all();
  return true;
}

bool LineWriter::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return waiting_.empty(); });
}

// offer writes as much as the reader has room for now. A pipe that is writable has room for PIPE_BUF octets, and keeps
// so many together; whole lines, so that nobody who writes there too comes in between.
std::size_t LineWriter::offer(std::string_view octets) const {
  pollfd room{fd_, POLLOUT, 0};
  if (poll(&room, 1, 0) <= 0) return 0;
  octets = octets.substr(0, PIPE_BUF);
  const std::size_t lines = octets.rfind('\n') + 1;  // 0 if there is no end of a line
  const std::size_t size = lines != 0 ? lines : octets.size();
  const ssize_t wrote =
      is_socket_ ? send(fd_, octets.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(fd_, octets.data(), size);
  if (wrote >= 0) return static_cast<std::size_t>(wrote);
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return later ? 0 : size;  // the reader is gone: nobody misses it
}

void LineWriter::offer_waiting() {
  while (written_ < waiting_.size()) {
    const std::size_t taken = offer(std::string_view(waiting_).substr(written_));
    if (taken == 0) break;
    written_ += taken;
  }
  if (written_ == waiting_.size()) {
    waiting_.clear();
    written_ = 0;
  } else if (written_ > kMaxWaiting) {  // now and then, so that it costs little
    waiting_.erase(0, written_);
    written_ = 0;
  }
}

void LineWriter::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    lock.unlock();
    pollfd room{fd_, POLLOUT, 0};
    (void)poll(&room, 1, kGlanceMs);
    lock.lock();
    offer_waiting();
    if (waiting_.empty()) changed_.notify_all();
  }
}

}  // namespace attestbed::log
