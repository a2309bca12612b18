// SPDX-License-Identifier: Apache-2.0
#include "sim/serve.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/posix/fd_transport.h"

namespace attestbed::sim {
namespace {

/// LineClock waits no longer than its guest lives: a silent host must not hold a thread whose guest has hung up, nor
/// the server's end.
class LineClock final : public Clock {
 public:
  LineClock(Clock& clock, int line, int stop) : clock_(clock), line_(line), stop_(stop) {}
  Instant now() override { return clock_.now(); }
  void wait_until(Instant until) override {
    using std::chrono::milliseconds;
    while (clock_.now() < until) {
      pollfd watched[] = {{line_, POLLRDHUP, 0}, {stop_, POLLIN, 0}};
      const auto left = std::chrono::duration_cast<milliseconds>(until - clock_.now()) + milliseconds(1);
      const int ready =
          ::poll(watched, 2, static_cast<int>(std::min<milliseconds>(left, std::chrono::hours(1)).count()));
      if (ready > 0 || (ready < 0 && errno != EINTR)) return;
    }
  }

 private:
  Clock& clock_;
  int line_, stop_;
};

Status same_user(int line) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(line, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Error{Errc::transport, "SO_PEERCRED", static_cast<std::uint64_t>(errno)};
  }
  if (peer.uid != ::geteuid()) return Error{Errc::refused, "user id of the peer", peer.uid, ::geteuid()};
  return ok();
}

}  // namespace

FirmwareServer::FirmwareServer(const LaunchConfig& config, HostConfig host, ServeLimits limits, Clock& clock,
                               ServeObserver& observer)
    : config_(config),
      host_(std::move(host)),
      limits_(limits),
      clock_(clock),
      observer_(observer),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

FirmwareServer::~FirmwareServer() {
  end_guests();
}

Status FirmwareServer::run(posix::Fd listener, int stop) {
  if (!end_) return Error{Errc::io_failed, "eventfd"};
  const Status ended = accept_until(listener.get(), stop);
  listener.reset();
  end_guests();
  return ended;
}

Status FirmwareServer::accept_until(int listener, int stop) {
  while (true) {
    pollfd watched[] = {{listener, POLLIN, 0}, {stop, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return Error{Errc::transport, "poll", static_cast<std::uint64_t>(errno)};
    }
    if (watched[1].revents != 0) return ok();
    if ((watched[0].revents & ~POLLIN) != 0) return Error{Errc::transport, "listening socket"};
    accept_one(listener, stop);
  }
}

void FirmwareServer::end_guests() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t raised = ::write(end_.get(), &one, sizeof one);  // raised already is as good
  for (Worker& worker : workers_) worker.thread.join();
  workers_.clear();
}

void FirmwareServer::accept_one(int listener, int stop) {
  posix::Fd line(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!line) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
    // Out of descriptors or memory: the connection stays queued, so pause instead of spinning on it.
    observer_.turned_away({Errc::io_failed, "accept", static_cast<std::uint64_t>(errno)});
    LineClock(clock_, -1, stop).wait_until(clock_.now() + std::chrono::milliseconds(100));
    return;
  }
  join_finished();
  if (workers_.size() >= limits_.max_guests) {
    observer_.turned_away({Errc::too_large, "guests at once", workers_.size() + 1, limits_.max_guests});
    return;
  }
  if (const Status allowed = same_user(line.get()); !allowed) {
    observer_.turned_away(allowed.error());
    return;
  }
  const std::uint64_t guest = ++guests_;
  Worker& worker = workers_.emplace_back();
  try {
    worker.thread = std::thread([this, &worker, guest, owned = line.get()] {
      serve(posix::Fd(owned), guest);
      worker.done = true;
    });
    (void)line.release();  // the thread's now
  } catch (const std::system_error& error) {
    workers_.pop_back();
    observer_.turned_away({Errc::io_failed, "thread", static_cast<std::uint64_t>(error.code().value())});
  }
}

void FirmwareServer::serve(posix::Fd line, std::uint64_t guest) {
  Result<GuestContext> context = launch_guest(config_, guest);
  if (!context) return observer_.turned_away(context.error());
  Firmware firmware(config_.machine, *std::move(context));
  LineClock clock(clock_, line.get(), end_.get());
  posix::FdTransport transport(std::move(line), clock);
  transport.cancel_on(end_.get());
  observer_.launched(guest);
  const Error why = serve_guest(transport, clock, firmware, host_, limits_, guest, observer_);
  observer_.ended(guest, why);
}

void FirmwareServer::join_finished() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    if (!worker->done) {
      ++worker;
      continue;
    }
    worker->thread.join();
    worker = workers_.erase(worker);
  }
}

}  // namespace attestbed::sim
