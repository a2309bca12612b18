// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/posix/fd.h"
#include "http-server/http_stream.h"
#include "mock-kbs/broker_fixture.h"
#include "mock-kbs/loopback_socket.h"

namespace attestbed::kbs {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// A client that sends what it is told, octet for octet. Reads end with what arrived when the server closes, or fail the
// test after a time that no honest answer needs.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(loopback_socket(port)) { EXPECT_TRUE(bool(socket_)); }
  // The server may close while we send: then the answer counts, not the send.
  Client& send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t n = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return *this;
  }
  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(have_, {});
  }
  // One response with a Content-Length.
  std::string read_response() {
    for (;;) {
      const std::size_t head = have_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t length = have_.find("Content-Length: ");
        const std::size_t body = length < head ? std::stoul(have_.substr(length + 16)) : 0;
        if (have_.size() >= head + 4 + body) {
          const std::string response = have_.substr(0, head + 4 + body);
          have_.erase(0, response.size());
          return response;
        }
      }
      if (!more()) return std::exchange(have_, {});
    }
  }

 private:
  bool more() {
    std::array<char, 4096> buffer;
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    EXPECT_FALSE(n < 0 && errno == EAGAIN) << "the server neither answered nor closed";
    if (n > 0) have_.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0;
  }
  posix::Fd socket_;
  std::string have_;
};

int status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") ? std::stoi(response.substr(9, 3)) : 0;
}
std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}
std::string post(const std::string& path, const std::string& body, const std::string& headers = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: kbs\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}
std::string get(const std::string& path, const std::string& headers = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: kbs\r\n" + headers + "\r\n";
}
const std::string kAuth = R"({"version":"0.4.0","tee":"snp","extra-params":""})";

// Connections that begin a request, each at another place, and say no more.
std::vector<std::unique_ptr<Client>> slow_peers(std::uint16_t port) {
  std::vector<std::unique_ptr<Client>> slow;
  for (const char* part : {"", "G", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nX: y\r\n",
                           "POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
                           "POST /kbs/v0/auth HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"}) {
    slow.push_back(std::make_unique<Client>(port));
    slow.back()->send(part);
  }
  return slow;
}

class ServerTest : public testing::Test {
 protected:
  void start(HttpLimits limits = {}) {
    Service service{.handle = [this](const Request& request) { return handle(fixture_.broker(), request); },
                    .audit =
                        [this](const AuditRecord& record) {
                          const std::lock_guard lock(mutex_);
                          audit_.push_back(record);
                          written_.notify_all();
                        }};
    auto started = Server::start(std::move(service), {.host = "127.0.0.1", .port = 0, .loopback = true}, limits);
    ASSERT_TRUE(started) << started.error().text();
    server_ = *std::move(started);
  }
  std::uint16_t port() const { return server_->port(); }
  std::string exchange(const std::string& request) { return Client(port()).send(request).read_response(); }
  // The first `count` records. What the library refuses by itself is recorded after its answer was sent.
  std::vector<AuditRecord> audit(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(written_.wait_for(lock, 60s, [&] { return audit_.size() >= count; }));
    return audit_;
  }

  BrokerFixture fixture_;
  std::mutex mutex_;
  std::condition_variable written_;
  std::vector<AuditRecord> audit_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, CarriesAWholeAttestationOverOneConnection) {
  start();
  Client client(port());
  const std::string challenge = client.send(post("/kbs/v0/auth", kAuth)).read_response();
  ASSERT_EQ(status_of(challenge), 200);
  const std::size_t cookie_at = challenge.find("Set-Cookie: ") + 12;
  TestGuest guest = fixture_.open_session();  // for a report in good form; cookie and nonce are those of the wire
  guest.cookie = challenge.substr(cookie_at, challenge.find(';', cookie_at) - cookie_at);
  guest.nonce = json::parse(body_of(challenge)).at("nonce").get<std::string>();
  guest.report.report_data = BrokerFixture::report_data_for(fixture_.guest_key().point(), guest.nonce);
  BrokerFixture::sign(guest.report);
  const std::string cookie = "Cookie: " + guest.cookie + "\r\n";
  const std::string verdict =
      client.send(post("/kbs/v0/attest", fixture_.attest_body(guest).dump(), cookie)).read_response();
  ASSERT_EQ(status_of(verdict), 200);
  EXPECT_NE(verdict.find("Content-Type: application/json\r\n"), std::string::npos);
  // Neither a range nor a compressed form of a secret is ever sent.
  const std::string odd = cookie + "Range: bytes=0-3\r\nAccept-Encoding: gzip, br\r\n";
  const std::string resource = client.send(get("/kbs/v0/resource/default/sample/test", odd)).read_response();
  ASSERT_EQ(status_of(resource), 200);
  EXPECT_EQ(resource.find("Content-Encoding"), std::string::npos);
  EXPECT_EQ(fixture_.open_jwe(body_of(resource)), BrokerFixture::kSecret);
  const auto lines = audit(3);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].endpoint, "POST auth");
  EXPECT_EQ(lines[2].endpoint, "GET resource");
  EXPECT_EQ(lines[0].attestation, lines[2].attestation);
  EXPECT_TRUE(lines[0].peer.starts_with("127.0.0.1:"));
}

struct HttpCase {
  const char* name;
  std::string request;
  int status;
};

TEST_F(ServerTest, AnswersOddRequestsWithOneStatusAndOneAuditLine) {
  start();
  const std::string chunked = "POST /kbs/v0/auth HTTP/1.1\r\nHost: kbs\r\nTransfer-Encoding: chunked\r\n";
  const HttpCase cases[] = {
      {"health", get("/healthz"), 200},
      {"method", "PATCH /kbs/v0/auth HTTP/1.1\r\nHost: kbs\r\n\r\n", 405},
      {"unknown method", "BREW /kbs/v0/auth HTTP/1.1\r\nHost: kbs\r\n\r\n", 400},
      {"not HTTP", "hello\r\n\r\n", 400},
      {"unknown plugin", get("/kbs/v0/nothing"), 404},
      {"no body", "POST /kbs/v0/auth HTTP/1.1\r\nHost: kbs\r\n\r\n", 401},
      {"chunked body", chunked + "\r\n2\r\n{}\r\n0\r\n\r\n", 401},
      {"length and chunks", chunked + "Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400},
      {"length twice", post("/kbs/v0/auth", "{}", "Content-Length: 2\r\n"), 400},
      {"length negative", "POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"length of 2^64", "POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", 400},
      {"length of 2^63", "POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n", 413},
      {"just too large", "POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 2097153\r\n\r\n", 413},
      {"largest", post("/kbs/v0/auth", std::string(kMaxBodyBytes, ' ')), 401},
      {"chunked too large", chunked + "\r\n200001\r\n" + std::string(0x200001, ' ') + "\r\n0\r\n\r\n", 413},
      {"compressed", post("/kbs/v0/auth", "{}", "Content-Encoding: gzip\r\n"), 415},
      {"form", post("/kbs/v0/auth", "{}", "Content-Type: multipart/form-data; boundary=x\r\n"), 415},
      {"long target", get("/" + std::string(4000, 'a')), 404},
      {"long POST target", post("/" + std::string(4000, 'a'), "{}"), 404},
      {"target beyond the parser", get("/" + std::string(9000, 'a')), 414},
      {"percent", get("/kbs/v0/%61uth"), 404},
  };
  std::size_t lines = 0;
  for (const HttpCase& one : cases) {
    SCOPED_TRACE(one.name);
    const std::string response = exchange(one.request);
    EXPECT_EQ(status_of(response), one.status) << response.substr(0, 200);
    const std::vector<AuditRecord> records = audit(++lines);
    ASSERT_EQ(records.size(), lines);
    EXPECT_EQ(records.back().status, one.status);
    EXPECT_EQ(records.back().refusal.has_value(), one.status != 200);
  }
}

TEST(Server, HandsOnTheBodyOfPutAndWritesOneLineForARefusalOfTheHandlers) {
  std::mutex mutex;
  std::vector<std::string> bodies;
  std::atomic<int> lines = 0;
  Service service{.handle =
                      [&](const Request& request) {
                        const std::lock_guard lock(mutex);
                        bodies.push_back(request.method + " " + request.body);
                        Response response;
                        response.status = response.audit.status = 400;
                        return response;
                      },
                  .audit = [&](const AuditRecord&) { ++lines; }};
  auto server = Server::start(std::move(service), {.host = "127.0.0.1", .port = 0, .loopback = true}, {});
  ASSERT_TRUE(server) << server.error().text();
  Client client((*server)->port());
  for (const char* method : {"PUT", "POST"}) {
    EXPECT_EQ(
        status_of(client.send(method + std::string(" /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")).read_response()),
        400);
  }
  (*server)->stop();
  EXPECT_EQ(bodies, (std::vector<std::string>{"PUT abc", "POST abc"}));
  EXPECT_EQ(lines, 2);
}

TEST_F(ServerTest, NeverTakesABodyForARequest) {
  start();
  const std::string hidden = get("/healthz");
  for (const std::string& request :
       {get("/healthz", "Content-Length: " + std::to_string(hidden.size()) + "\r\n") + hidden,
        post("/kbs/v0/auth", hidden, "Content-Encoding: gzip\r\n"),
        get("/healthz", "Transfer-Encoding: chunked\r\n") + hidden}) {
    const std::string all = Client(port()).send(request).read_to_end();
    EXPECT_EQ(all.find("HTTP/1.1 "), all.rfind("HTTP/1.1 ")) << all;
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  Client client(port());
  client.send(get("/healthz") + get("/kbs/v0/nothing") + get("/healthz"));
  EXPECT_EQ(status_of(client.read_response()), 200);
  EXPECT_EQ(status_of(client.read_response()), 404);
  EXPECT_EQ(status_of(client.read_response()), 200);
}

TEST_F(ServerTest, EndsHeadsBeyondTheBounds) {
  start();
  std::string lines = "GET /healthz HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) lines += "X-" + std::to_string(i) + ": x\r\n";
  EXPECT_NE(status_of(Client(port()).send(lines + "\r\n").read_to_end()), 200);
  EXPECT_NE(status_of(Client(port()).send("GET /" + std::string(1 << 20, 'a')).read_to_end()), 200);
  EXPECT_NE(status_of(Client(port()).send("GET /healthz HTTP/1.1\r\nX: " + std::string(1 << 20, 'a')).read_to_end()),
            200);
}

// Two kinds of connection, one server for each: only those that must time out have little time for it.
TEST_F(ServerTest, EndsSlowPeers) {
  start({.request = 300ms, .idle = 300ms, .drain = 100ms});
  std::vector<std::unique_ptr<Client>> slow = slow_peers(port());
  for (auto& client : slow) EXPECT_NE(status_of(client->read_to_end()), 200);
}

TEST_F(ServerTest, ServesTheOthersBesideSlowPeers) {
  start({.request = 60s, .idle = 60s, .drain = 100ms});
  const std::vector<std::unique_ptr<Client>> slow = slow_peers(port());
  EXPECT_EQ(status_of(exchange(get("/healthz"))), 200);
}

TEST_F(ServerTest, ServesManyClientsAtOnceEachWithItsOwnSession) {
  start();
  std::mutex mutex;
  std::set<std::string> cookies;
  std::vector<std::thread> clients;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back([&] {
      Client client(port());
      for (int n = 0; n < 4; ++n) {
        const std::string response = client.send(post("/kbs/v0/auth", kAuth)).read_response();
        EXPECT_EQ(status_of(response), 200);
        const std::lock_guard lock(mutex);
        cookies.insert(response.substr(response.find("kbs-session-id="), 47));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(cookies.size(), 128U);
  EXPECT_EQ(audit(128).size(), 128U);
}

TEST_F(ServerTest, TurnsAwayWhoIsAboveTheCap) {
  start({.idle = 60s, .connections = 2});
  Client first(port());
  Client second(port());
  EXPECT_EQ(status_of(first.send(get("/healthz")).read_response()), 200);
  EXPECT_EQ(status_of(second.send(get("/healthz")).read_response()), 200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of(Client(port()).read_to_end()), 503);
  EXPECT_EQ(status_of(first.send(get("/healthz")).read_response()), 200);
  std::uint64_t said = 0;
  std::size_t lines = 0;
  for (const AuditRecord& record : audit(4)) {
    if (record.endpoint != "connection") continue;
    ++lines;
    said += record.turned_away;
    EXPECT_EQ(record.status, 503);
    ASSERT_TRUE(record.refusal);
    EXPECT_EQ(record.refusal->code, Errc::broker_unavailable);
  }
  // The first of a flood is told at once; how many lines follow depends on how many seconds the flood took.
  EXPECT_GE(lines, 1U);
  EXPECT_LE(said, 20U);
}

TEST_F(ServerTest, AnswersThatTheSessionTableIsFull) {
  start();
  while (fixture_.broker().sessions.open(Tee::snp, verify::Time{})) {
  }
  const std::string full = exchange(post("/kbs/v0/auth", kAuth));
  EXPECT_EQ(status_of(full), 503);
  EXPECT_EQ(full.find("Set-Cookie"), std::string::npos);
  EXPECT_EQ(audit(1).back().refusal->code, Errc::broker_unavailable);
}

TEST_F(ServerTest, ClosesAConnectionAfterItsShareOfRequests) {
  start({.requests_per_connection = 3});
  Client client(port());
  for (int i = 0; i < 5; ++i) client.send(get("/healthz"));
  const std::string all = client.read_to_end();
  std::size_t answers = 0;
  for (std::size_t at = all.find("HTTP/1.1 200"); at != std::string::npos; at = all.find("HTTP/1.1 200", at + 1))
    ++answers;
  EXPECT_EQ(answers, 3U);
}

TEST_F(ServerTest, StopsBesideIdleAndHalfSentRequests) {
  start({.request = 60s, .idle = 60s, .drain = 200ms});
  Client idle(port());
  EXPECT_EQ(status_of(idle.send(get("/healthz")).read_response()), 200);
  Client half(port());
  half.send("POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  server_->stop();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_NE(status_of(half.read_to_end()), 200);
}

TEST_F(ServerTest, OwnsItsPortAlone) {
  start();
  const auto second =
      Server::start({.handle = [](const Request&) { return Response(); }, .audit = [](const AuditRecord&) {}},
                    {.host = "127.0.0.1", .port = port(), .loopback = true}, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::io_failed);
  EXPECT_NE(second.error().expected.find(std::to_string(port())), std::string::npos);
}

}  // namespace
}  // namespace attestbed::kbs
