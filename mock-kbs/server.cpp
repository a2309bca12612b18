// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <optional>
#include <system_error>
#include <thread>

#include "mock-kbs/http_stream.h"
#include "mock-kbs/worker_pool.h"

namespace attestbed::kbs {
namespace {

constexpr int kBacklog = 256;

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

// cpp-httplib parses and routes; sockets, threads and bounds are ours, by way of the hook through which the library
// itself puts TLS under its server.
class HttpServer final : public httplib::Server {
 public:
  HttpServer(Broker& broker, const HttpLimits& limits, kbs::Server::AuditSink audit, int stop_fd)
      : broker_(broker), limits_(limits), audit_(std::move(audit)), stop_fd_(stop_fd) {
    new_task_queue = [this] { return new WorkerPool(limits_.connections); };
    set_tcp_nodelay(true);
    // Not SO_REUSEPORT, the library's default: another process could listen on the same port and take our guests.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
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

  bool open(const ListenAddress& address, std::uint16_t& port) {
    const int bound = address.port == 0 ? bind_to_any_port(address.host)
                                        : (bind_to_port(address.host, address.port) ? address.port : -1);
    if (bound <= 0) return false;
    port = static_cast<std::uint16_t>(bound);
    // The library's backlog is 5: a burst of guests would wait for retransmissions.
    return ::listen(svr_sock_, kBacklog) == 0;
  }
  void accept_until_closed() {
    accepting_ = std::this_thread::get_id();
    listen_after_bind();
  }
  void close_listener() { ::shutdown(svr_sock_, SHUT_RDWR); }

 private:
  bool process_and_close_socket(socket_t socket) override {
    posix::Fd owned(socket);
    if (std::this_thread::get_id() == accepting_) return turn_away(owned);
    // Memory may run out wherever the library parses: that ends this connection and no other.
    try {
      serve(std::move(owned));
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }

  void serve(posix::Fd socket) {
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

  static bool turn_away(const posix::Fd& socket) {
    constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
    ::send(socket.get(), kBusy.data(), kBusy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return true;
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
  std::thread::id accepting_;
};

}  // namespace

struct Server::Impl {
  Impl(Broker& broker, const HttpLimits& limits, AuditSink audit)
      : stop(::eventfd(0, EFD_CLOEXEC)),
        ended(::eventfd(0, EFD_CLOEXEC)),
        http(broker, limits, std::move(audit), stop.get()) {}
  posix::Fd stop, ended;
  HttpServer http;
  std::uint16_t port = 0;
  std::atomic<bool> stopping = false;
  std::thread acceptor;
};

Checked<ListenAddress> ListenAddress::parse(std::string_view text) {
  const Refusal wrong{Errc::bad_config, "listen", "a numeric address and a port, 127.0.0.1:8080 or [::1]:8080",
                      verify::printable(text, 64)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  ListenAddress address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = host;
  in_addr v4{};
  in6_addr v6{};
  if (!bracketed && ::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    address.loopback = (ntohl(v4.s_addr) >> 24) == 127;
  } else if (bracketed && ::inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) {
    address.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  } else {
    return wrong;
  }
  return address;
}

std::string ListenAddress::authority(std::uint16_t port_in_use) const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port_in_use);
}

Checked<std::unique_ptr<Server>> Server::start(Broker& broker, const ListenAddress& address, const HttpLimits& limits,
                                               AuditSink audit) {
  auto impl = std::make_unique<Impl>(broker, limits, std::move(audit));
  if (!impl->stop || !impl->ended) return Refusal{Errc::io_failed, "eventfd", "a descriptor", "none left"};
  errno = 0;
  if (!impl->http.open(address, impl->port)) {
    const std::string reason = errno == 0 ? "not available" : std::generic_category().message(errno);
    return Refusal{Errc::io_failed, "listen", "to listen on " + address.authority(address.port), reason};
  }
  impl->acceptor = std::thread([parts = impl.get()] {
    parts->http.accept_until_closed();
    if (!parts->stopping) raise_event(parts->ended.get());
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
  impl_->http.close_listener();
  impl_->acceptor.join();
}

}  // namespace attestbed::kbs
