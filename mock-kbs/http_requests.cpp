// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/http_requests.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <optional>

#include "core/base/secret.h"

namespace attestbed::kbs {
namespace {

using http::HttpStream;

// The longest legal target is shorter than 256 octets. The library matches paths with std::regex, whose stack grows
// with the length of what it matches, so longer ones never get there.
constexpr std::size_t kMaxTargetOctets = 1024;

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
  for (const auto& [name, value] : response.headers) into.set_header(name.c_str(), value);
}

Request translate(const httplib::Request& request) {
  return {.method = request.method,
          .target = request.target,
          .body = {},
          .cookies = joined(request, "Cookie"),
          .authorization = joined(request, "Authorization"),
          .peer = request.remote_addr + ":" + std::to_string(request.remote_port)};
}

void accept_head(httplib::Request& request, HttpStream& stream) {
  const bool chunked = request.has_header("Transfer-Encoding");
  stream.expect_body(chunked ? UINT64_MAX : announced_length(request).value_or(UINT64_MAX));
  // An answer is sent whole and as it is: no ranges, no compression.
  request.ranges.clear();
  request.headers.erase("Accept-Encoding");
}

// What the library knows nothing of: the connection that this thread serves, and how its present request is answered
// other than by the library.
struct Present {
  HttpStream* stream = nullptr;
  bool answered = false;
  std::optional<WireScript> script;
};
thread_local Present present;

/// Wiped is text that may be a secret which an owner sends: it is wiped however handling it ends.
class Wiped {
 public:
  explicit Wiped(std::string& text) : text_(text) {}
  ~Wiped() { wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()}); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;

 private:
  std::string& text_;
};

// False: the server stops, or the peer is gone.
bool send_part(HttpStream& stream, const WireScript::Part& part) {
  if (part.before.count() != 0 && !stream.pause(part.before)) return false;
  if (part.each.count() == 0) return stream.write(part.octets.data(), part.octets.size()) >= 0;
  for (const char& octet : part.octets) {
    if (stream.write(&octet, 1) < 0 || !stream.pause(part.each)) return false;
  }
  return true;
}

// What is no request: the peer broke off, or sent what the library does not read.
bool is_unparsed(int status) {
  return status == 400 || status == 414 || status == 416;
}
const Refusal& unparsed() {
  static const Refusal refusal{
      Errc::malformed_request, "request",
      "a complete HTTP/1.1 request, its target at most " + std::to_string(kMaxTargetOctets) + " octets",
      "something else"};
  return refusal;
}

}  // namespace

HttpRequests::HttpRequests(const Service& service, const HttpLimits& limits, int stop_fd,
                           std::function<void(std::chrono::milliseconds)> refuse)
    : service_(service), limits_(limits), stop_fd_(stop_fd), refuse_(std::move(refuse)) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits_.request).count();
  set_read_timeout(seconds);
  set_write_timeout(seconds);
  set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(limits_.idle).count());
  set_keep_alive_max_count(limits_.requests_per_connection);
  set_idle_interval(1);
  set_payload_max_length(kMaxBodyBytes);
  set_pre_routing_handler([this](const auto& request, auto& response) { return before_body(request, response); });
  const auto with_body = [this](const auto& request, auto& response, const auto& reader) {
    read_body(request, response, reader);
  };
  Post(".*", with_body);
  Put(".*", with_body);
  set_exception_handler([](const auto&, auto& response, std::exception_ptr) { response.status = 500; });
  set_error_handler([this](const auto&, auto& response) {
    if (!service_.explain || present.answered || !is_unparsed(response.status)) return;
    response.set_content(service_.explain(unparsed()), "application/json");
  });
  // What the library refuses by itself never reaches a handler.
  set_logger([this](const auto& request, const auto& response) { audit_unparsed(request, response); });
}

void HttpRequests::serve(posix::Fd socket) noexcept try {
  serve_requests(std::move(socket));
} catch (const std::exception&) {
}

void HttpRequests::serve_requests(posix::Fd socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int fd = socket.get();
  HttpStream stream(std::move(socket), stop_fd_, limits_,
                    service_.tls ? service_.tls->channel(fd) : std::make_unique<http::PlainChannel>());
  for (unsigned left = limits_.requests_per_connection; left > 0 && stream.await_request(); --left) {
    bool closed = false;
    present = {.stream = &stream, .answered = false, .script = std::nullopt};
    const bool answered = process_request(stream, /*close_connection=*/left == 1, closed,
                                          [&stream](httplib::Request& request) { accept_head(request, stream); });
    // Octets of a body that nobody read must never be taken for the next request.
    if (!answered || !deliver(stream) || closed || !stream.consumed()) break;
  }
  audit_problem(stream);
  stream.close();
}

// A connection that came to no request because it could not be set up.
void HttpRequests::audit_problem(const HttpStream& stream) {
  const std::string problem = stream.problem();
  if (problem.empty()) return;
  AuditRecord record;
  std::string address;
  int port = 0;
  stream.get_remote_ip_and_port(address, port);
  record.peer = address + ":" + std::to_string(port);
  record.endpoint = "connection";
  record.refusal = Refusal{Errc::malformed_request, "TLS", "a handshake that TLS 1.2 or 1.3 completes", problem};
  service_.audit(record);
}

// Sends what is not the library's to send. False if the connection is over.
bool HttpRequests::deliver(HttpStream& stream) {
  if (!present.script) return true;
  const WireScript script = *std::exchange(present.script, std::nullopt);
  if (script.refuse.count() != 0) refuse_(script.refuse);
  stream.unmute();
  for (const WireScript::Part& part : script.parts) {
    if (!send_part(stream, part)) return false;
  }
  if (script.end == WireScript::End::vanish) stream.abort(HttpStream::Abort::close);
  if (script.end == WireScript::End::reset) stream.abort(HttpStream::Abort::reset);
  return script.end == WireScript::End::keep;
}

// An answer to what is not handed on.
void HttpRequests::refuse(Response response, httplib::Response& into) {
  if (service_.explain && response.audit.refusal) response.body = service_.explain(*response.audit.refusal);
  answer(response, into);
}

void HttpRequests::answer(const Response& response, httplib::Response& into) {
  service_.audit(response.audit);
  present.answered = true;
  copy_out(response, into);
  if (response.delivery.how == Delivery::How::whole) return;
  present.script = wire_script(response);
  present.stream->mute();
}

// What has no body, and targets of no endpoint, are answered here; of POST and PUT the body is judged before one octet
// of it is read.
httplib::Server::HandlerResponse HttpRequests::before_body(const httplib::Request& request,
                                                           httplib::Response& response) {
  const bool with_body = request.method == "POST" || request.method == "PUT";
  if (!with_body || request.target.size() > kMaxTargetOctets) {
    answer(service_.handle(translate(request)), response);
    return HandlerResponse::Handled;
  }
  const std::optional<std::uint64_t> announced = announced_length(request);
  if (!announced) {
    response.status = 400;  // audit_unparsed has it
    return HandlerResponse::Handled;
  }
  if (*announced > kMaxBodyBytes) {
    refuse(refuse_body(translate(request), *announced), response);
    return HandlerResponse::Handled;
  }
  // Nobody in this protocol compresses or sends forms, and the library would unpack both without a bound.
  if (request.has_header("Content-Encoding") || request.is_multipart_form_data()) {
    refuse(refuse_encoding(translate(request)), response);
    return HandlerResponse::Handled;
  }
  if (*announced == 0 && !request.has_header("Transfer-Encoding")) {
    answer(service_.handle(translate(request)), response);
    return HandlerResponse::Handled;
  }
  return HandlerResponse::Unhandled;
}

void HttpRequests::read_body(const httplib::Request& request, httplib::Response& response,
                             const httplib::ContentReader& reader) {
  Request translated = translate(request);
  const Wiped body(translated.body);
  // At once, so that no copy is left behind by growing.
  translated.body.reserve(announced_length(request).value_or(0));
  std::uint64_t size = 0;
  const bool complete = reader([&](const char* octets, std::size_t n) {
    size += n;
    if (size > kMaxBodyBytes) return false;
    translated.body.append(octets, n);
    return true;
  });
  if (size > kMaxBodyBytes) return refuse(refuse_body(translated, size), response);
  if (complete) return answer(service_.handle(translated), response);
  response.status = 400;  // the peer broke off; audit_unparsed has it
}

void HttpRequests::audit_unparsed(const httplib::Request& request, const httplib::Response& response) {
  if (present.answered) return;
  if (!is_unparsed(response.status)) return;
  AuditRecord record;
  record.peer = request.remote_addr.empty() ? "" : request.remote_addr + ":" + std::to_string(request.remote_port);
  record.endpoint = verify::printable(request.method + " " + request.target, 200);
  record.status = response.status;
  record.refusal = unparsed();
  service_.audit(record);
}

}  // namespace attestbed::kbs
