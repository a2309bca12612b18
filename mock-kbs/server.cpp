// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "http-server/accept_loop.h"
#include "http-server/worker_pool.h"
#include "mock-kbs/http_requests.h"

namespace attestbed::kbs {
namespace {

using http::AcceptLoop;
using http::WorkerPool;

constexpr std::chrono::seconds kTurnedAwayPause{1};

void raise_event(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);  // an eventfd counter at 1 cannot overflow
}

// Called on the accepting thread alone.
class TurnAway {
 public:
  TurnAway(unsigned most, const Service& service) : most_(most), service_(service) {}

  void operator()(const posix::Fd& socket) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
    // Under TLS there is nobody yet who could read it.
    if (!service_.tls) ::send(socket.get(), kBusy.data(), kBusy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ++unsaid_;
    // A flood of connections must not become a flood of log lines.
    const auto now = std::chrono::steady_clock::now();
    if (said_ && now < *said_ + kTurnedAwayPause) return;
    said_ = now;
    AuditRecord record;
    record.endpoint = "connection";
    record.status = 503;
    record.refusal =
        Refusal{Errc::broker_unavailable, "connections at once", "at most " + std::to_string(most_), "more"};
    record.turned_away = std::exchange(unsaid_, 0);
    service_.audit(record);
  }

 private:
  const unsigned most_;
  const Service& service_;
  std::uint64_t unsaid_ = 0;
  std::optional<std::chrono::steady_clock::time_point> said_;
};

}  // namespace

struct Server::Impl {
  Impl(Service its_service, const ListenAddress& its_address, const HttpLimits& its_limits)
      : service(std::move(its_service)),
        address(its_address),
        limits(its_limits),
        stop(::eventfd(0, EFD_CLOEXEC)),
        ended(::eventfd(0, EFD_CLOEXEC)),
        http(service, limits, stop.get(), [this](std::chrono::milliseconds time) { refuse_for(time); }),
        turn_away(limits.connections, service),
        workers(limits.connections) {}

  void accept(posix::Fd line);
  void run();
  void refuse_for(std::chrono::milliseconds time);
  bool listen_again(std::chrono::milliseconds after);

  const Service service;
  const ListenAddress address;
  const HttpLimits limits;
  posix::Fd stop, ended, listener;
  HttpRequests http;
  TurnAway turn_away;
  WorkerPool workers;
  std::uint16_t port = 0;
  std::atomic<bool> stopping = false;
  std::mutex refusal;
  std::chrono::milliseconds refusing{0};
  std::thread acceptor;
};

void Server::Impl::accept(posix::Fd line) {
  const Greeting greeting = service.greet ? service.greet() : Greeting{};
  if (greeting.how != Delivery::How::whole) {
    if (greeting.how == Delivery::How::reset) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(line.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    line.reset();
    AuditRecord record;
    record.endpoint = "connection";
    record.fault = greeting.fault;
    service.audit(record);
    return;
  }
  // std::function wants what can be copied.
  const auto shared = std::make_shared<posix::Fd>(std::move(line));
  if (!workers.take([this, shared] { http.serve(std::move(*shared)); })) turn_away(*shared);
}

// The accepting thread's life. The listener ends when stop() wants it, when a fault wants it for a while, or by itself.
void Server::Impl::run() {
  for (;;) {
    const AcceptLoop loop{
        .listener = listener.get(), .stop = stop.get(), .serve = [this](posix::Fd line) { accept(std::move(line)); }};
    if (loop.run()) break;
    std::chrono::milliseconds pause{0};
    {
      const std::lock_guard lock(refusal);
      pause = std::exchange(refusing, std::chrono::milliseconds(0));
      listener.reset();
    }
    if (pause.count() == 0) {
      raise_event(ended.get());
      break;
    }
    if (!listen_again(pause)) break;
  }
  const std::lock_guard lock(refusal);
  listener.reset();
}

// False if the server stops, or if its port is no longer to be had.
bool Server::Impl::listen_again(std::chrono::milliseconds after) {
  pollfd stopped{stop.get(), POLLIN, 0};
  if (::poll(&stopped, 1, static_cast<int>(after.count())) != 0) return false;
  ListenAddress same = address;
  same.port = port;
  std::uint16_t bound = 0;  // the same again: port() may be asked for it meanwhile
  Result<posix::Fd> again = http::listen_on(same, bound);
  if (!again) {
    raise_event(ended.get());
    return false;
  }
  const std::lock_guard lock(refusal);
  listener = *std::move(again);
  return true;
}

// A listener that was shut down accepts no more, at once and for everybody; the accepting thread then waits.
void Server::Impl::refuse_for(std::chrono::milliseconds time) {
  const std::lock_guard lock(refusal);
  if (listener && ::shutdown(listener.get(), SHUT_RDWR) == 0) refusing = time;
}

Checked<std::unique_ptr<Server>> Server::start(Service service, const ListenAddress& address,
                                               const HttpLimits& limits) {
  auto impl = std::make_unique<Impl>(std::move(service), address, limits);
  if (!impl->stop || !impl->ended) return Refusal{Errc::io_failed, "eventfd", "a descriptor", "none left"};
  Result<posix::Fd> listener = http::listen_on(address, impl->port);
  if (!listener) {
    return Refusal{Errc::io_failed, "listen", "to listen on " + address.authority(address.port),
                   std::generic_category().message(static_cast<int>(listener.error().found))};
  }
  impl->listener = *std::move(listener);
  impl->acceptor = std::thread([parts = impl.get()] { parts->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  stop();
}

std::uint16_t Server::port() const {
  return impl_->port;
}

int Server::ended_fd() const {
  return impl_->ended.get();
}

void Server::stop() {
  if (impl_->stopping.exchange(true)) return;
  raise_event(impl_->stop.get());
  impl_->acceptor.join();
  impl_->workers.shutdown();
}

}  // namespace attestbed::kbs
