// SPDX-License-Identifier: Apache-2.0
#include "kds-client/exchange.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "core/posix/fd.h"
#include "kds-client/kds_fixture.h"

namespace attestbed::kds {
namespace {

using namespace std::chrono_literals;
using ExchangeTest = test::KdsTest;

// A peer that answers each connection with the same octets, whatever it is asked.
class CannedPeer {
 public:
  explicit CannedPeer(std::string answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CannedPeer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void run() {
    for (;;) {
      const posix::Fd line(::accept(listener_.get(), nullptr, nullptr));
      if (!line) return;
      ++connections_;
      std::array<char, 4096> request{};
      (void)!::recv(line.get(), request.data(), request.size(), 0);
      (void)!::send(line.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::shutdown(line.get(), SHUT_WR);
      while (::recv(line.get(), request.data(), request.size(), 0) > 0) {
      }
    }
  }
  std::string answer_;
  posix::Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

TEST_F(ExchangeTest, TakesNothingButWhatWasAskedFor) {
  serve();
  const auto der = vcek_der(snp::Product::genoa);
  const std::string other_chip(der.begin(), der.end());
  const auto answer = [](const std::string& head, const std::string& body) {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  std::string many_headers;
  while (many_headers.size() < 20'000) many_headers += "X: " + std::string(100, 'x') + "\r\n";
  const struct {
    const char* name;
    std::string answer;
    Errc expected;
  } kCases[] = {
      {"OtherChip", answer("200 OK", other_chip), Errc::kds_malformed},
      {"Redirect", answer("302 Found\r\nLocation: " + options_.url + vcek().target(), ""), Errc::kds_malformed},
      {"Forbidden", answer("403 Forbidden", ""), Errc::kds_malformed},
      {"Empty", answer("200 OK", ""), Errc::kds_malformed},
      {"TooLarge", answer("200 OK", std::string(verify::kMaxCertificateBytes + 1, 'x')), Errc::kds_malformed},
      {"TooLargeUnannounced", "HTTP/1.1 200 OK\r\n\r\n" + std::string(verify::kMaxCertificateBytes + 1, 'x'),
       Errc::kds_malformed},
      {"HeadTooLarge", "HTTP/1.1 200 OK\r\n" + many_headers + "\r\n", Errc::kds_malformed},
      {"NoHttp", "220 mail.example ESMTP\r\n", Errc::kds_malformed},
      {"HeadCutOff", "HTTP/1.1 200 OK\r\nContent-", Errc::kds_unreachable},
      {"Nothing", "", Errc::kds_unreachable},
  };
  for (const auto& wrong : kCases) {
    SCOPED_TRACE(wrong.name);
    const CannedPeer peer(wrong.answer);
    options_.url = peer.url();
    const auto fetched = client()->fetch(vcek(), in(60s));
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, wrong.expected) << fetched.error().text();
  }
  EXPECT_EQ(server_->requests(), 0U) << "a redirect was followed";
}

TEST_F(ExchangeTest, NoEnvironmentVariableSendsItElsewhere) {
  const CannedPeer proxy("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  serve();
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, proxy.url().c_str(), 1);
  EXPECT_TRUE(client()->fetch(vcek(), in(60s)));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
}

// A KDS behind TLS, whose certificate is localhost's.
class TlsPeer {
 public:
  explicit TlsPeer(const std::vector<std::uint8_t>& body) {
    server_.Get(".*", [text = std::string(body.begin(), body.end())](const auto&, auto& response) {
      response.set_content(text, "application/octet-stream");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsPeer() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_); }

 private:
  httplib::SSLServer server_{ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/server.pem",
                             ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/server.key"};
  int port_ = 0;
  std::thread thread_;
};

TEST_F(ExchangeTest, HttpsIsVerified) {
  const TlsPeer peer(vcek_der());
  options_.url = peer.url("localhost");
  const auto by_the_system = client()->fetch(vcek(), in(60s));
  ASSERT_FALSE(by_the_system);
  EXPECT_EQ(by_the_system.error().code, Errc::kds_untrusted) << by_the_system.error().text();
  options_.ca_file = ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/ca.pem";
  EXPECT_TRUE(client()->fetch(vcek(), in(60s)));
  options_.url = peer.url("127.0.0.1");
  EXPECT_EQ(client()->fetch(vcek(), in(60s)).error().code, Errc::kds_untrusted) << "another host's certificate";
  options_.ca_file = scratch_.path("absent.pem");
  EXPECT_EQ(client()->fetch(vcek(), in(60s)).error().code, Errc::kds_untrusted);
}

TEST(RetryAfter, IsANumberOfSeconds) {
  EXPECT_EQ(retry_after_seconds(" 10\r\n"), 10s);
  EXPECT_EQ(retry_after_seconds("0"), 0s);
  EXPECT_EQ(retry_after_seconds("86401"), 24h);
  EXPECT_EQ(retry_after_seconds("99999999999999999999999"), 24h);
  for (const char* text : {"", " ", "-1", "+1", "1.5", "10 s", "Fri, 31 Dec 1999 23:59:59 GMT"}) {
    EXPECT_EQ(retry_after_seconds(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace attestbed::kds
