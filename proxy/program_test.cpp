// SPDX-License-Identifier: Apache-2.0
// The program as others start it: flags, readiness line, signals, exit status.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/posix/describe.h"
#include "core/posix/pty_pair.h"
#include "proxy/fake_broker.h"
#include "proxy/http_broker.h"
#include "proxy/process.h"

namespace attestbed::proxy {
namespace {

const VectorCase& plain() {
  return vector_case("plain");
}

TEST_F(Program, CarriesAGuestAndEndsCleanlyOnASignal) {
  HttpBroker broker(plain());
  for (const int number : {SIGTERM, SIGINT}) {
    Process proxy(flags(broker.url()));
    ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
    EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
    proxy.signal(number);
    EXPECT_EQ(proxy.ended(), 0);
    const std::string log = proxy.errors();
    for (const char* event : {"ready", "negotiated", "attested", "released", "stopping", "stopped"}) {
      EXPECT_NE(log.find("\"event\":\"" + std::string(event) + "\""), std::string::npos) << log;
    }
    // The cookie and the recorded token, nonce and wrapped key.
    for (const char* hidden : {"session1", "session2", "test-token", "TageHNDe", "6HIm6ZJW"}) {
      EXPECT_EQ(log.find(hidden), std::string::npos) << log;
    }
    struct stat about {};
    EXPECT_NE(lstat(socket().c_str(), &about), 0) << "the socket is removed";
  }
}

// A pipe holds 64 KiB: far less than what these attempts have to say.
TEST_F(Program, ServesAndEndsThoughNobodyReadsItsLog) {
  HttpBroker broker(plain());
  Process proxy(flags(broker.url(), {"--attempts", "1000"}));
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  GuestEnd guest = GuestEnd::connect(socket());
  for (int i = 0; i < 999; ++i) {
    ASSERT_TRUE(guest.send(R"({"version":[9,9,9],"tee":"snp"})"));
    ASSERT_EQ(code_in(guest.receive(), protocol::Phase::negotiation), "version_unsupported") << i;
  }
  EXPECT_TRUE(guest.attest(plain()));
  proxy.signal(SIGTERM);
  EXPECT_EQ(proxy.ended(), 0);
}

TEST_F(Program, ServesSeveralDoorsAndEndsWithAllOfThem) {
  HttpBroker broker(plain());
  posix::Pty pty;
  const std::string second = socket() + ".2";
  Process proxy(flags(broker.url(), {"--unix", second, "--serial", pty.device}));
  ASSERT_EQ(proxy.out_line(), "ready unix:" + second + " unix:" + socket() + " serial:" + pty.device);
  EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
  EXPECT_TRUE(GuestEnd::connect(second).attest(plain()));
  EXPECT_TRUE(GuestEnd(std::move(pty.controller)).attest(plain()));
  GuestEnd idle = GuestEnd::connect(second);
  proxy.signal(SIGTERM);
  EXPECT_EQ(idle.receive(), "(closed)");
  EXPECT_EQ(proxy.ended(), 0);
  struct stat about {};
  EXPECT_NE(lstat(second.c_str(), &about), 0);
}

TEST_F(Program, DoorThatCannotBeOpenedIsOneLineAndExit3) {
  Process proxy(flags("http://127.0.0.1:1", {"--serial", "/dev/no-such-line"}));
  EXPECT_EQ(proxy.ended(), 3);
  const std::string text = proxy.errors();
  EXPECT_TRUE(text.starts_with("attest-proxy: cannot listen on serial:/dev/no-such-line: ")) << text;
  EXPECT_NE(text.find("No such file or directory"), std::string::npos) << text;
}

/// Trap listens on loopback and never accepts: whoever connected is still in its queue.
class Trap {
 public:
  Trap() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 16) != 0 ||
        getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("no port on loopback");
    }
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  const std::string& url() const { return url_; }
  bool untouched() const {
    const posix::Fd line(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return !line && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

 private:
  posix::Fd listener_;
  std::string url_;
};

// Each variable here would change what happens if anybody heeded it: the proxies lead away from the broker, the roots
// make a broker trusted whom no flag names, OPENSSL_CONF loads a library that prints a line before "ready".
TEST_F(Program, EnvironmentChangesNothing) {
  const Trap trap;
  const std::string ca = ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/ca.pem", conf = socket() + ".cnf";
  ASSERT_TRUE(posix::write_file_private(
      conf, bytes_of("openssl_conf = init\n[init]\nproviders = providers\n"
                     "[providers]\ntrap = trap\n[trap]\nmodule = " CONF_TRAP "\nactivate = 1\n")));
  const std::vector<std::string> environment = {
      "http_proxy=" + trap.url(), "https_proxy=" + trap.url(), "HTTPS_PROXY=" + trap.url(),
      "all_proxy=" + trap.url(),  "ALL_PROXY=" + trap.url(),   "SSL_CERT_FILE=" + ca,
      "CURL_CA_BUNDLE=" + ca,     "OPENSSL_CONF=" + conf,      "CURL_HOME=/nonexistent"};
  {
    HttpBroker broker(plain());
    Process proxy(flags(broker.url()), environment);
    ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
    EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
    proxy.signal(SIGTERM);
    EXPECT_EQ(proxy.ended(), 0);
  }
  HttpBroker broker(plain(), HttpBroker::Scheme::https);
  {
    Process proxy(flags(broker.url()), environment);
    ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
    GuestEnd guest = GuestEnd::connect(socket());
    ASSERT_TRUE(guest.send(plain().negotiation_request));
    EXPECT_EQ(code_in(guest.receive(), protocol::Phase::negotiation), "broker_unreachable");
    EXPECT_TRUE(broker.requests().empty()) << "its roots are named by the environment alone";
    proxy.signal(SIGTERM);
    EXPECT_EQ(proxy.ended(), 0);
  }
  {
    Process proxy(flags(broker.url(), {"--ca", ca}), environment);
    ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
    EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain())) << "the same roots, named by a flag";
    proxy.signal(SIGTERM);
    EXPECT_EQ(proxy.ended(), 0);
  }
  EXPECT_TRUE(trap.untouched());
  unlink(conf.c_str());
}

TEST_F(Program, OutlivesABrokerThatIsNotThere) {
  std::string url;
  {
    const RawBroker gone({}, RawBroker::Then::close);
    url = gone.url();
  }
  Process proxy(flags(url));
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  for (int i = 0; i < 2; ++i) {
    GuestEnd guest = GuestEnd::connect(socket());
    ASSERT_TRUE(guest.send(plain().negotiation_request));
    EXPECT_EQ(code_in(guest.receive(), protocol::Phase::negotiation), "broker_unreachable");
  }
}

TEST_F(Program, TakesOverWhatAKilledProxyLeft) {
  const std::string url = "http://127.0.0.1:1";
  {
    Process killed(flags(url));
    ASSERT_EQ(killed.out_line(), "ready unix:" + socket());
    killed.signal(SIGKILL);
    ASSERT_EQ(killed.ended(), -SIGKILL);
  }
  Process refused(flags(url));
  EXPECT_EQ(refused.ended(), 3);
  EXPECT_NE(refused.errors().find("cannot listen on unix:" + socket()), std::string::npos);

  Process heir(flags(url, {"--force"}));
  ASSERT_EQ(heir.out_line(), "ready unix:" + socket());
  Process rival(flags(url, {"--force"}));
  EXPECT_EQ(rival.ended(), 3) << "somebody listens";
}

TEST_F(Program, ConfigurationErrorsAreOneLineAndExit2) {
  for (const auto& more : {std::vector<std::string>{"--ca", "/nonexistent/ca.pem"}, {"--timeout", "0"}, {"--bogus"}}) {
    Process proxy(flags("http://127.0.0.1:1", more));
    EXPECT_EQ(proxy.ended(), 2) << more.front();
    const std::string text = proxy.errors();
    EXPECT_TRUE(text.starts_with("attest-proxy: ")) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  }
}

}  // namespace
}  // namespace attestbed::proxy
