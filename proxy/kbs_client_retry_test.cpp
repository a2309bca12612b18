// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "core/posix/fd.h"
#include "proxy/recorded_client.h"

namespace attestbed::proxy {
namespace {

const VectorCase& plain() {
  return vector_case("plain");
}

std::string ok(const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}
std::string auth_answer() {
  return ok(plain().auth_response, "Set-Cookie: kbs-session-id=session1\r\n");
}

// One connection of a scripted broker: whole answers to one request after another, then its end.
struct Connection {
  std::vector<std::string> answers;
  bool reads_one_more = false;  // before it closes: the client's next request was on its way
};

// ScriptedBroker takes its connections in order, and remembers the first line of every request that it read whole.
class ScriptedBroker {
 public:
  explicit ScriptedBroker(std::vector<Connection> script, std::uint16_t port = 0)
      : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool listens = bind(listener_.get(), generic, size) == 0 && listen(listener_.get(), 16) == 0 &&
                         getsockname(listener_.get(), generic, &size) == 0;
    if (!listens) throw std::runtime_error("no port on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedBroker() {
    shutdown(listener_.get(), SHUT_RDWR);  // ends accept
    thread_.join();
  }
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (const Connection& part : script_) {
      const posix::Fd line(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!line) return;
      received_.clear();
      for (const std::string& answer : part.answers) {
        if (!read_request(line.get())) break;
        if (write(line.get(), answer.data(), answer.size()) != static_cast<ssize_t>(answer.size())) break;
      }
      if (part.reads_one_more) read_request(line.get());
    }
  }

  bool read_request(int line) {
    for (;;) {
      const std::size_t head = received_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = received_.find("Content-Length: ");
        const std::size_t body = at < head ? std::stoul(received_.substr(at + 16)) : 0;
        if (received_.size() >= head + 4 + body) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(received_.substr(0, received_.find(" HTTP/")));
          received_.erase(0, head + 4 + body);
          return true;
        }
      }
      char piece[4096];
      const ssize_t got = read(line, piece, sizeof piece);
      if (got <= 0) return false;
      received_.append(piece, static_cast<std::size_t>(got));
    }
  }

  const std::vector<Connection> script_;
  posix::Fd listener_;
  std::uint16_t port_ = 0;
  std::string received_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

using Lines = std::vector<std::string>;
const std::string kAuth = "POST /kbs/v0/auth", kAttest = "POST /kbs/v0/attest",
                  kResource = "GET /kbs/v0/resource/default/sample/test";

// The broker is down when the evidence is to go, and up again after the pause.
TEST(KbsClientRetry, AttestThatNeverLeftIsSentOnceMore) {
  std::optional<ScriptedBroker> broker(std::in_place, std::vector<Connection>{{{auth_answer()}}});
  const std::uint16_t port = broker->port();
  RecordedClient client(plain(), broker->url());
  ASSERT_TRUE(client.auth());
  broker.reset();
  std::optional<ScriptedBroker> restarted;
  client.on_wait([&] { restarted.emplace(std::vector<Connection>{{{ok(plain().attest_response)}}}, port); });
  const auto token = client.attest();
  ASSERT_TRUE(token) << token.error().detail;
  EXPECT_EQ(*token, plain().token);
  EXPECT_EQ(restarted->requests(), Lines{kAttest});
}

TEST(KbsClientRetry, BrokerThatStaysAwayIsAskedTwice) {
  std::optional<ScriptedBroker> broker(std::in_place, std::vector<Connection>{{{auth_answer()}}});
  RecordedClient client(plain(), broker->url());
  ASSERT_TRUE(client.auth());
  broker.reset();
  int waits = 0;
  client.on_wait([&] { ++waits; });
  const auto token = client.attest();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, Errc::broker_unreachable);
  EXPECT_EQ(waits, 1);
}

// The broker read the evidence and the connection ended: nobody can tell whether it was judged.
TEST(KbsClientRetry, AttestThatMayHaveLeftIsNotSentAgain) {
  ScriptedBroker broker({{{auth_answer()}}, {{}, true}, {{ok(plain().attest_response)}}});
  RecordedClient client(plain(), broker.url());
  ASSERT_TRUE(client.auth());
  const auto token = client.attest();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, Errc::broker_unreachable) << token.error().detail;
  EXPECT_TRUE(client.session().last_call().left);
  EXPECT_EQ(broker.requests(), (Lines{kAuth, kAttest}));
}

struct Stale {
  const char* name;
  bool takes_the_request;
};
class StaleConnection : public testing::TestWithParam<Stale> {};
INSTANTIATE_TEST_SUITE_P(KbsClientRetry, StaleConnection,
                         testing::Values(Stale{"ClosedBefore", false}, Stale{"ClosedOnTheRequest", true}),
                         [](const auto& one) { return one.param.name; });

// A kept connection ends between two requests, or as the second arrives. The GET changes nothing and is asked anew.
TEST_P(StaleConnection, CostsTheResourceNothing) {
  ScriptedBroker broker({{{auth_answer()}},
                         {{ok(plain().attest_response, "Connection: keep-alive\r\n")}, GetParam().takes_the_request},
                         {{ok(plain().resource_response)}}});
  RecordedClient client(plain(), broker.url());
  ASSERT_TRUE(client.auth());
  ASSERT_TRUE(client.attest());
  const auto sealed = client.resource();
  ASSERT_TRUE(sealed) << sealed.error().detail;
  EXPECT_EQ(sealed->protected_header, plain().protected_header);
  const Lines once = {kAuth, kAttest, kResource}, twice = {kAuth, kAttest, kResource, kResource};
  EXPECT_EQ(broker.requests(), GetParam().takes_the_request ? twice : once);
}

}  // namespace
}  // namespace attestbed::proxy
