// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <system_error>
#include <thread>

#include "core/posix/clock.h"
#include "http-server/accept_loop.h"
#include "http-server/http_stream.h"
#include "http-server/worker_pool.h"

namespace attestbed::sim {
namespace {

constexpr std::size_t kMaxLoggedTarget = 320;
constexpr std::chrono::seconds kTurnedAwayPause{1};

constexpr http::HttpLimits kLimits{.head_octets = 8 * 1024,
                                   .head_lines = 64,
                                   .body_octets = 64 * 1024,
                                   .requests_per_connection = 1,
                                   .connections = 64};

void raise_event(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);  // an eventfd counter at 1 cannot overflow
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kMaxLoggedTarget)) shown += c > ' ' && c < 0x7f ? c : '?';
  return shown;
}

// Octets that are no certificate, no PEM and no CRL, the same each time.
std::string garbage() {
  std::string octets(1000, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(i * 37 + 11);
  return octets;
}

// cpp-httplib parses and writes; listener, sockets, threads and bounds are ours. serve() gives the library a stream as
// the library itself does it with TLS.
class HttpServer final : public httplib::Server {
 public:
  HttpServer(KdsCatalogue catalogue, KdsFaultPlan faults, KdsServer::Observer observer, int stop)
      : catalogue_(std::move(catalogue)), faults_(std::move(faults)), observer_(std::move(observer)), stop_(stop) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(kLimits.request).count();
    set_read_timeout(seconds);
    set_write_timeout(seconds);
    set_pre_routing_handler([this](const auto& request, auto& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    set_exception_handler([](const auto&, auto& response, std::exception_ptr) { response.status = 500; });
    // What the library refuses by itself never reaches answer().
    set_logger([this](const auto&, const auto& response) {
      if (response.status == 400 || response.status == 414) report({.peer = peer_, .status = response.status});
    });
  }

  // Memory may run out wherever the library parses: that ends this connection and no other.
  void serve(posix::Fd socket) noexcept try {
    http::HttpStream stream(std::move(socket), stop_, kLimits);
    bool closed = false;
    std::string address;
    int port = 0;
    stream.get_remote_ip_and_port(address, port);
    peer_ = address + ":" + std::to_string(port);
    if (stream.await_request()) {
      process_request(stream, /*close_connection=*/true, closed, [](httplib::Request& request) {
        // An answer is sent whole and as it is: no ranges, no compression.
        request.ranges.clear();
        request.headers.erase("Accept-Encoding");
      });
    }
    stream.close();
  } catch (const std::exception&) {
  }

  void report(const KdsRecord& record) const { observer_(record); }
  std::uint64_t requests() const { return requests_; }

 private:
  KdsCatalogue::Answer look_up(const httplib::Request& request) const {
    if (request.method != "GET") return {.status = 405, .body = "only GET is served\n"};
    const std::optional<KdsAsk> ask = parse_kds_target(request.target);
    if (!ask) return {.status = 404, .body = "no such path\n"};
    return catalogue_.answer(*ask);
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    KdsRecord record{.number = ++requests_, .peer = peer_, .target = printable(request.target)};
    KdsCatalogue::Answer found = look_up(request);
    const KdsFault* fault = kds_fault_at(faults_, record.number);
    if (fault != nullptr) {
      record.fault = kds_fault_text(*fault);
      apply(*fault, found, response);
    }
    const bool whole = fault == nullptr || fault->kind != KdsFaultKind::truncate;
    record.octets = whole ? found.body.size() : truncated_size(*fault, found.body.size());
    record.status = response.status = found.status;
    if (whole) {
      response.set_content(found.body, found.content_type);
    } else {
      send_part(found, record.octets, response);
    }
    report(record);
    if (fault != nullptr && fault->kind == KdsFaultKind::delay) wait(*fault);
  }

  static void apply(const KdsFault& fault, KdsCatalogue::Answer& found, httplib::Response& response) {
    if (fault.kind == KdsFaultKind::garbage) {
      found = {.status = 200, .body = garbage(), .content_type = "application/octet-stream"};
    }
    if (fault.kind != KdsFaultKind::status) return;
    found = {.status = fault.status, .body = "scripted fault\n"};
    if (fault.argument) response.set_header("Retry-After", std::to_string(*fault.argument));
  }

  static std::size_t truncated_size(const KdsFault& fault, std::size_t whole) {
    return std::min<std::size_t>(fault.argument.value_or(static_cast<std::uint32_t>(whole / 2)), whole);
  }

  // Ends early when the server does.
  void wait(const KdsFault& fault) const {
    pollfd stop{stop_, POLLIN, 0};
    (void)::poll(&stop, 1, static_cast<int>(fault.argument.value_or(0)));
  }

  // The head announces the whole body; the connection ends after a part of it.
  static void send_part(const KdsCatalogue::Answer& found, std::size_t octets, httplib::Response& response) {
    response.set_content_provider(found.body.size(), found.content_type,
                                  [body = found.body, octets](std::size_t, std::size_t, httplib::DataSink& sink) {
                                    sink.write(body.data(), octets);
                                    return false;
                                  });
  }

  // Of the connection that this worker serves: what the library refuses while it parses has no address yet.
  static thread_local std::string peer_;

  const KdsCatalogue catalogue_;
  const KdsFaultPlan faults_;
  const KdsServer::Observer observer_;
  const int stop_;
  std::atomic<std::uint64_t> requests_ = 0;
};

thread_local std::string HttpServer::peer_;

}  // namespace

struct KdsServer::Impl {
  Impl(KdsCatalogue catalogue, KdsFaultPlan faults, Observer observer)
      : stop(::eventfd(0, EFD_CLOEXEC)),
        ended(::eventfd(0, EFD_CLOEXEC)),
        http(std::move(catalogue), std::move(faults), std::move(observer), stop.get()),
        workers(kLimits.connections) {}

  void accept(posix::Fd line) {
    // std::function wants what can be copied.
    const auto shared = std::make_shared<posix::Fd>(std::move(line));
    if (workers.take([this, shared] { http.serve(std::move(*shared)); })) return;
    // Closed without a word, which to a client is one more failure to be repeated; a flood must not become a log.
    const Instant now = clock.now();
    if (said && now < *said + kTurnedAwayPause) return;
    said = now;
    http.report({.target = "(connection above the limit)"});
  }

  posix::Fd stop, ended, listener;
  HttpServer http;
  http::WorkerPool workers;
  posix::SteadyClock clock;
  std::optional<Instant> said;  // of the accepting thread alone
  std::uint16_t port = 0;
  std::atomic<bool> stopping = false;
  std::thread acceptor;
};

Outcome<std::unique_ptr<KdsServer>> KdsServer::start(KdsCatalogue catalogue, KdsFaultPlan faults,
                                                     const http::ListenAddress& address, Observer observer) {
  auto impl = std::make_unique<Impl>(std::move(catalogue), std::move(faults), std::move(observer));
  if (!impl->stop || !impl->ended) return Failure{Errc::io_failed, "eventfd: no descriptor is left"};
  Result<posix::Fd> listener = http::listen_on(address, impl->port);
  if (!listener) {
    return Failure{Errc::io_failed, address.authority(address.port) + ": cannot be listened on: " +
                                        std::generic_category().message(static_cast<int>(listener.error().found))};
  }
  impl->listener = *std::move(listener);
  impl->acceptor = std::thread([parts = impl.get()] {
    const http::AcceptLoop loop{.listener = parts->listener.get(),
                                .stop = parts->stop.get(),
                                .serve = [parts](posix::Fd line) { parts->accept(std::move(line)); }};
    if (!loop.run()) raise_event(parts->ended.get());
    parts->listener.reset();
  });
  return std::unique_ptr<KdsServer>(new KdsServer(std::move(impl)));
}

KdsServer::KdsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

KdsServer::~KdsServer() {
  stop();
}

std::uint16_t KdsServer::port() const {
  return impl_->port;
}
int KdsServer::ended_fd() const {
  return impl_->ended.get();
}
std::uint64_t KdsServer::requests() const {
  return impl_->http.requests();
}

void KdsServer::stop() {
  if (impl_->stopping.exchange(true)) return;
  raise_event(impl_->stop.get());
  impl_->acceptor.join();
  impl_->workers.shutdown();
}

}  // namespace attestbed::sim
