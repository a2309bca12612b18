// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_broker.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <stdexcept>

namespace attestbed::proxy {
namespace {

std::unique_ptr<httplib::Server> make_server(HttpBroker::Scheme scheme) {
  if (scheme == HttpBroker::Scheme::http) return std::make_unique<httplib::Server>();
  const bool asks = scheme == HttpBroker::Scheme::https_for_known;
  return std::make_unique<httplib::SSLServer>(
      ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/server.pem", ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/server.key",
      asks ? ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/client-ca.pem" : nullptr);
}

}  // namespace

struct HttpBroker::Server {
  Server(const VectorCase& from, Scheme to_speak) : recorded(from), scheme(to_speak), http(make_server(to_speak)) {
    http->new_task_queue = [] { return new httplib::ThreadPool(4); };
    http->set_keep_alive_timeout(1);
    const auto handle = [this](const httplib::Request& in, httplib::Response& out) { reply(in, out); };
    http->Post(".*", handle);
    http->Get(".*", handle);
    port = http->bind_to_any_port("127.0.0.1");
    if (port <= 0) throw std::runtime_error("no port on loopback");
    thread = std::thread([this] { http->listen_after_bind(); });
    while (!http->is_running()) std::this_thread::yield();
  }
  ~Server() {
    http->stop();
    thread.join();
  }

  void reply(const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    const std::string line = in.method + " " + in.path;
    requests.push_back(
        {line, in.body, {in.headers.begin(), in.headers.end()}, in.remote_addr + ":" + std::to_string(in.remote_port)});
    const auto replaced = answers.find(line);
    const Answer answer = replaced == answers.end() ? honest(line, in, out) : replaced->second;
    out.status = answer.status;
    for (const auto& [name, value] : answer.headers) out.set_header(name.c_str(), value);
    out.set_content(answer.body, "application/json");
  }

  Answer honest(const std::string& line, const httplib::Request& in, httplib::Response& out) {
    const std::string cookie = in.get_header_value("Cookie");
    if (line == "POST /kbs/v0/auth") {
      const std::string fresh = "kbs-session-id=session" + std::to_string(++opened);
      out.set_header("Set-Cookie", fresh + "; Expires=Fri, 01 Jan 2100 00:00:00 GMT");
      sessions.insert(fresh);
      return {200, recorded.auth_response, {}};
    }
    if (line == "POST /kbs/v0/attest") {
      if (!sessions.contains(cookie) || in.body != recorded.attest_request) return problem("AttestationError");
      attested.insert(cookie);
      return {200, recorded.attest_response, {}};
    }
    if (line != "GET /kbs/v0/resource/default/sample/test") return problem("PluginInternalError");
    const bool by_token = in.get_header_value("Authorization") == "Bearer " + recorded.token;
    if (!attested.contains(cookie) && !by_token) return problem("TokenNotFound");
    return {200, recorded.resource_response, {}};
  }

  static Answer problem(const std::string& kind) {
    return {
        401, R"({"type":"https://github.com/confidential-containers/kbs/errors/)" + kind + R"(","detail":"no"})", {}};
  }

  const VectorCase& recorded;
  const Scheme scheme;
  const std::unique_ptr<httplib::Server> http;
  int port = 0;
  std::thread thread;
  std::mutex mutex;
  std::map<std::string, Answer> answers;
  std::vector<Request> requests;
  std::set<std::string> sessions, attested;
  int opened = 0;
};

HttpBroker::HttpBroker(const VectorCase& recorded, Scheme scheme)
    : server_(std::make_unique<Server>(recorded, scheme)) {}
HttpBroker::~HttpBroker() = default;

std::string HttpBroker::url() const {
  const std::string host = server_->scheme == Scheme::http ? "http://127.0.0.1:" : "https://localhost:";
  return host + std::to_string(server_->port);
}

void HttpBroker::answer(const std::string& line, Answer with) {
  const std::lock_guard lock(server_->mutex);
  server_->answers[line] = std::move(with);
}

void HttpBroker::expire_sessions() {
  const std::lock_guard lock(server_->mutex);
  server_->sessions.clear();
  server_->attested.clear();
}

std::vector<HttpBroker::Request> HttpBroker::requests() const {
  const std::lock_guard lock(server_->mutex);
  return server_->requests;
}

RawBroker::RawBroker(std::vector<std::string> pieces, Then then)
    : pieces_(std::move(pieces)),
      then_(then),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool listens = bind(listener_.get(), generic, size) == 0 && listen(listener_.get(), 16) == 0 &&
                       getsockname(listener_.get(), generic, &size) == 0;
  if (!listens) throw std::runtime_error("no port on loopback");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RawBroker::~RawBroker() {
  const std::uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof one);
  thread_.join();
}

std::string RawBroker::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void RawBroker::serve() {
  std::vector<posix::Fd> held;
  while (true) {
    pollfd watched[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    (void)poll(watched, 2, -1);
    if (watched[1].revents != 0) return;
    posix::Fd line(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!line) continue;
    char request[4096];
    (void)!read(line.get(), request, sizeof request);  // its beginning: enough to know that it is being asked
    for (const std::string& piece : pieces_) {
      if (send(line.get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    }
    if (then_ == Then::hold) held.push_back(std::move(line));
  }
}

}  // namespace attestbed::proxy
