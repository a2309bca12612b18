// SPDX-License-Identifier: Apache-2.0
// The faults that act on connections, as a client sees them.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/posix/fd.h"
#include "http-server/http_stream.h"
#include "mock-kbs/fault_fixture.h"
#include "mock-kbs/loopback_socket.h"
#include "mock-kbs/server.h"

namespace attestbed::kbs {
namespace {

using namespace std::chrono_literals;

const std::string kBody = R"({"version":"0.4.0","tee":"snp","extra-params":""})";
const std::string kRequest =
    "POST /kbs/v0/auth HTTP/1.1\r\nHost: kbs\r\nContent-Length: " + std::to_string(kBody.size()) + "\r\n\r\n" + kBody;

// How the answer to it ends.
constexpr char kEnd[] = "\"extra-params\":\"\"}";

// What a peer sees of one connection: octets, then an end or a reset.
struct Seen {
  bool connected = false;
  std::string octets{};
  int error = 0;
};

class Line {
 public:
  explicit Line(std::uint16_t port) : socket_(loopback_socket(port)) {}
  bool connected() const { return bool(socket_); }
  void send(const std::string& octets) { (void)!::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL); }
  // Reads until `until` was seen, or the end.
  Seen read(const std::string& until = "\x01 never") {
    Seen seen{.connected = connected()};
    while (seen.connected && seen.octets.find(until) == std::string::npos) {
      std::array<char, 4096> buffer;
      const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      seen.error = n < 0 ? errno : 0;
      if (n <= 0) break;
      seen.octets.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return seen;
  }

 private:
  posix::Fd socket_;
};

class FaultServer : public testing::Test {
 protected:
  void start(const std::vector<std::string>& plan, HttpLimits limits = {}) {
    broker_ = std::make_unique<FaultyBroker>(plan);
    Service service{.handle = [this](const Request& request) { return broker_->send(request); },
                    .audit =
                        [this](const AuditRecord& record) {
                          const std::lock_guard lock(mutex_);
                          faults_.push_back(record.fault);
                        },
                    .greet = [this] { return broker_->faults().greet(); }};
    auto started = Server::start(std::move(service), {.host = "127.0.0.1", .port = 0, .loopback = true}, limits);
    ASSERT_TRUE(started) << started.error().text();
    server_ = *std::move(started);
  }
  Seen ask(const std::string& until = "\x01 never") {
    Line line(server_->port());
    line.send(kRequest);
    return line.read(until);
  }
  std::vector<std::string> faults() {
    const std::lock_guard lock(mutex_);
    return faults_;
  }
  static std::size_t announced(const Seen& seen) {
    const std::size_t at = seen.octets.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(seen.octets.substr(at + 16));
  }
  static std::string body(const Seen& seen) { return seen.octets.substr(seen.octets.find("\r\n\r\n") + 4); }

  std::unique_ptr<FaultyBroker> broker_;
  std::mutex mutex_;
  std::vector<std::string> faults_;
  std::unique_ptr<Server> server_;
};

TEST_F(FaultServer, ClosesInsteadOfAnswering) {
  start({"auth:1:close"});
  const Seen seen = ask();
  EXPECT_EQ(seen.octets, "");
  EXPECT_EQ(seen.error, 0);
  EXPECT_EQ(faults(), std::vector<std::string>{"auth:1:close"});
  EXPECT_NE(ask("extra-params").octets.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(FaultServer, ResetsInTheMiddleOfTheBody) {
  start({"auth:1:reset"});
  const Seen seen = ask();
  EXPECT_EQ(seen.error, ECONNRESET);
  EXPECT_EQ(seen.octets.find("extra-params"), std::string::npos);
}

TEST_F(FaultServer, AnnouncesMoreThanItSends) {
  start({"auth:1:short-body"});
  const Seen seen = ask();
  EXPECT_EQ(seen.error, 0);
  EXPECT_EQ(body(seen).size(), announced(seen) / 2);
}

TEST_F(FaultServer, SendsMoreThanItAnnounces) {
  start({"auth:1:long-body"});
  const Seen seen = ask(kEnd);
  EXPECT_EQ(body(seen).size() / 2, announced(seen));
}

TEST_F(FaultServer, SendsChunks) {
  start({"auth:1:chunked"});
  const Seen seen = ask("0\r\n\r\n");
  EXPECT_NE(seen.octets.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(announced(seen), 0U);
}

// The times are lower bounds only: nothing is asserted about how fast a machine is.
TEST_F(FaultServer, WaitsBeforeAndWithinAnAnswer) {
  start({"auth:1:delay:200", "auth:2:stall:200"});
  for (int i = 0; i < 2; ++i) {
    const auto from = std::chrono::steady_clock::now();
    const Seen seen = ask(kEnd);
    EXPECT_GE(std::chrono::steady_clock::now() - from, 200ms);
    EXPECT_EQ(body(seen).size(), announced(seen));
  }
}

TEST_F(FaultServer, TricklesAndOutlastsTheRequestsOwnDeadline) {
  start({"auth:1:trickle:5"}, {.request = 500ms, .idle = 60s, .drain = 100ms});
  const auto from = std::chrono::steady_clock::now();
  const Seen seen = ask(kEnd);
  EXPECT_EQ(body(seen).size(), announced(seen));
  EXPECT_GE(std::chrono::steady_clock::now() - from, 5ms * seen.octets.size());
}

TEST_F(FaultServer, StopsInTheMiddleOfAFault) {
  start({"auth:1:delay:120000"});
  Line line(server_->port());
  line.send(kRequest);
  while (faults().empty()) std::this_thread::yield();
  server_->stop();
  EXPECT_EQ(line.read().octets, "");
}

TEST_F(FaultServer, RefusesConnectionsForAWhile) {
  start({"auth:1:refuse:1"});
  const Seen seen = ask();
  EXPECT_EQ(body(seen).size(), announced(seen));
  EXPECT_NE(seen.octets.find("Connection: close"), std::string::npos);
  // However long that while was: afterwards the same port answers.
  const auto until = std::chrono::steady_clock::now() + 60s;
  Seen again;
  do {
    again = ask("extra-params");
  } while (again.octets.empty() && std::chrono::steady_clock::now() < until);
  EXPECT_NE(again.octets.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(FaultServer, RefusesConnectionsUntilItStops) {
  start({"auth:1:refuse:120000"});
  EXPECT_NE(ask().octets.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_FALSE(Line(server_->port()).connected());
  server_->stop();
}

TEST_F(FaultServer, EndsConnectionsBeforeAWord) {
  start({"connection:1:close", "connection:2:reset"});
  Line closed(server_->port());
  EXPECT_EQ(closed.read().error, 0);
  Line reset(server_->port());
  EXPECT_EQ(reset.read().error, ECONNRESET);
  EXPECT_NE(ask("extra-params").octets.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_EQ(faults(), (std::vector<std::string>{"connection:1:close", "connection:2:reset", ""}));
}

TEST_F(FaultServer, KeepsTheConnectionAfterADelay) {
  start({"auth:1:delay:1"});
  Line line(server_->port());
  line.send(kRequest + kRequest);
  std::string all = line.read(kEnd).octets;
  if (all.find("HTTP/1.1 200", all.find(kEnd)) == std::string::npos) all += line.read(kEnd).octets;
  EXPECT_NE(all.find("HTTP/1.1 200", all.find(kEnd)), std::string::npos) << all;
}

}  // namespace
}  // namespace attestbed::kbs
