// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "http-server/accept_loop.h"
#include "http-server/http_stream.h"
#include "http-server/worker_pool.h"

namespace attestbed::kbs {
namespace {

using http::AcceptLoop;
using http::HttpStream;
using http::WorkerPool;

constexpr std::chrono::seconds kTurnedAwayPause{1};

// The longest legal target is shorter than 256 octets. The library matches paths with std::regex, whose stack grows
// with the length of what it matches, so longer ones never get there.
constexpr std::size_t kMaxTargetOctets = 1024;

void raise_event(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);  // an eventfd counter at 1 cannot overflow
}

std::string joined(const httplib::Request& request, const char* name) {
  std::string text;
  const std::size_t count = request.get_header_value_count(name);
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : "; ") + request.get_header_value(name, i);
  return text;
}

// Content-Length as a number, 0 if there is none; nothing if it is not one number said once.
std::optional<std::uint64_t> announced_length(const httplib::Request& request) {
  if (!request.has_header("Content-Length")) return 0;
  const std::string text = request.get_header_value("Content-Length");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool one_number = error == std::errc() && end == text.data() + text.size();
  if (!one_number || request.get_header_value_count("Content-Length") != 1) return std::nullopt;
  // Both at once is how one request is made to look like two.
  if (request.has_header("Transfer-Encoding")) return std::nullopt;
  return value;
}

void copy_out(const Response& response, httplib::Response& into) {
  into.status = response.status;
  into.body = response.body;
  if (!response.content_type.empty()) into.set_header("Content-Type", response.content_type);
  if (!response.set_cookie.empty()) into.set_header("Set-Cookie", response.set_cookie);
}

// cpp-httplib parses and routes; listener, sockets, threads and bounds are ours. serve() gives the library a stream as
// the library itself does it with TLS; its own listening and accepting are never used.
class HttpServer final : public httplib::Server {
 public:
  HttpServer(Broker& broker, const HttpLimits& limits, kbs::Server::AuditSink audit, int stop_fd)
      : broker_(broker), limits_(limits), audit_(std::move(audit)), stop_fd_(stop_fd) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits_.request).count();
    set_read_timeout(seconds);
    set_write_timeout(seconds);
    set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(limits_.idle).count());
    set_keep_alive_max_count(limits_.requests_per_connection);
    set_idle_interval(1);
    set_payload_max_length(kMaxBodyBytes);
    set_pre_routing_handler([this](const auto& request, auto& response) { return before_body(request, response); });
    Post(".*", [this](const auto& request, auto& response, const auto& reader) { post(request, response, reader); });
    set_exception_handler([](const auto&, auto& response, std::exception_ptr) { response.status = 500; });
    // What the library refuses by itself never reaches a handler; these statuses are its own, none of our handlers'.
    set_logger([this](const auto& request, const auto& response) { audit_unparsed(request, response); });
  }

  // serve answers the requests of one connection. Memory may run out wherever the library parses: that ends this
  // connection and no other.
  void serve(posix::Fd socket) noexcept try { serve_requests(std::move(socket)); } catch (const std::exception&) {
  }

 private:
  void serve_requests(posix::Fd socket) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    HttpStream stream(std::move(socket), stop_fd_, limits_);
    for (unsigned left = limits_.requests_per_connection; left > 0 && stream.await_request(); --left) {
      bool closed = false;
      const bool answered = process_request(stream, /*close_connection=*/left == 1, closed,
                                            [&stream](httplib::Request& request) { accept_head(request, stream); });
      // Octets of a body that nobody read must never be taken for the next request.
      if (!answered || closed || !stream.consumed()) break;
    }
    stream.close();
  }

  static void accept_head(httplib::Request& request, HttpStream& stream) {
    const bool chunked = request.has_header("Transfer-Encoding");
    stream.expect_body(chunked ? UINT64_MAX : announced_length(request).value_or(UINT64_MAX));
    // An answer is sent whole and as it is: no ranges, no compression.
    request.ranges.clear();
    request.headers.erase("Accept-Encoding");
  }

  static Request translate(const httplib::Request& request) {
    return {.method = request.method,
            .target = request.target,
            .body = {},
            .cookies = joined(request, "Cookie"),
            .authorization = joined(request, "Authorization"),
            .peer = request.remote_addr + ":" + std::to_string(request.remote_port)};
  }

  void answer(const Response& response, httplib::Response& into) {
    audit_(response.audit);
    copy_out(response, into);
  }

  // Everything but POST (and targets of no endpoint) is answered here; of a POST its body is judged before one octet of
  // it is read.
  HandlerResponse before_body(const httplib::Request& request, httplib::Response& response) {
    if (request.method != "POST" || request.target.size() > kMaxTargetOctets) {
      answer(handle(broker_, translate(request)), response);
      return HandlerResponse::Handled;
    }
    const std::optional<std::uint64_t> announced = announced_length(request);
    if (!announced) {
      response.status = 400;  // audit_unparsed has it
      return HandlerResponse::Handled;
    }
    if (*announced > kMaxBodyBytes) {
      answer(refuse_body(translate(request), *announced), response);
      return HandlerResponse::Handled;
    }
    // Nobody in this protocol compresses or sends forms, and the library would unpack both without a bound.
    if (request.has_header("Content-Encoding") || request.is_multipart_form_data()) {
      answer(refuse_encoding(translate(request)), response);
      return HandlerResponse::Handled;
    }
    if (*announced == 0 && !request.has_header("Transfer-Encoding")) {
      answer(handle(broker_, translate(request)), response);
      return HandlerResponse::Handled;
    }
    return HandlerResponse::Unhandled;
  }

  void post(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
    Request translated = translate(request);
    std::uint64_t size = 0;
    const bool complete = reader([&](const char* octets, std::size_t n) {
      size += n;
      if (size > kMaxBodyBytes) return false;
      translated.body.append(octets, n);
      return true;
    });
    if (size > kMaxBodyBytes) return answer(refuse_body(translated, size), response);
    if (complete) return answer(handle(broker_, translated), response);
    response.status = 400;  // the peer broke off; audit_unparsed has it
  }

  void audit_unparsed(const httplib::Request& request, const httplib::Response& response) {
    if (response.status != 400 && response.status != 414 && response.status != 416) return;
    AuditRecord record;
    record.peer = request.remote_addr.empty() ? "" : request.remote_addr + ":" + std::to_string(request.remote_port);
    record.endpoint = verify::printable(request.method + " " + request.target, 200);
    record.status = response.status;
    record.refusal = Refusal{Errc::malformed_request, "request", "a complete HTTP/1.1 request", "something else"};
    audit_(record);
  }

  Broker& broker_;
  const HttpLimits limits_;
  const kbs::Server::AuditSink audit_;
  const int stop_fd_;
};

// Called on the accepting thread alone.
class TurnAway {
 public:
  TurnAway(unsigned most, const kbs::Server::AuditSink& audit) : most_(most), audit_(audit) {}

  void operator()(const posix::Fd& socket) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
    ::send(socket.get(), kBusy.data(), kBusy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
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
    audit_(record);
  }

 private:
  const unsigned most_;
  const kbs::Server::AuditSink& audit_;
  std::uint64_t unsaid_ = 0;
  std::optional<std::chrono::steady_clock::time_point> said_;
};

}  // namespace

struct Server::Impl {
  Impl(Broker& broker, const HttpLimits& limits, const AuditSink& sink)
      : stop(::eventfd(0, EFD_CLOEXEC)),
        ended(::eventfd(0, EFD_CLOEXEC)),
        audit(sink),
        http(broker, limits, sink, stop.get()),
        turn_away(limits.connections, audit),
        workers(limits.connections) {}
  void accept(posix::Fd line) {
    // std::function wants what can be copied.
    const auto shared = std::make_shared<posix::Fd>(std::move(line));
    if (!workers.take([this, shared] { http.serve(std::move(*shared)); })) turn_away(*shared);
  }
  posix::Fd stop, ended, listener;
  const AuditSink audit;
  HttpServer http;
  TurnAway turn_away;
  WorkerPool workers;
  std::uint16_t port = 0;
  std::atomic<bool> stopping = false;
  std::thread acceptor;
};

Checked<std::unique_ptr<Server>> Server::start(Broker& broker, const ListenAddress& address, const HttpLimits& limits,
                                               AuditSink audit) {
  auto impl = std::make_unique<Impl>(broker, limits, audit);
  if (!impl->stop || !impl->ended) return Refusal{Errc::io_failed, "eventfd", "a descriptor", "none left"};
  Result<posix::Fd> listener = http::listen_on(address, impl->port);
  if (!listener) {
    return Refusal{Errc::io_failed, "listen", "to listen on " + address.authority(address.port),
                   std::generic_category().message(static_cast<int>(listener.error().found))};
  }
  impl->listener = *std::move(listener);
  impl->acceptor = std::thread([parts = impl.get()] {
    const AcceptLoop loop{.listener = parts->listener.get(),
                          .stop = parts->stop.get(),
                          .serve = [parts](posix::Fd line) { parts->accept(std::move(line)); }};
    if (!loop.run()) raise_event(parts->ended.get());
    parts->listener.reset();
  });
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
