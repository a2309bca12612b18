// SPDX-License-Identifier: Apache-2.0
// The program as others start it: flags, readiness line, signals, exit status.
#include "proxy/process.h"

#include "core/posix/pty_pair.h"
#include "proxy/fake_broker.h"
#include "proxy/http_broker.h"

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

TEST_F(Program, EnvironmentChangesNothing) {
  HttpBroker broker(plain());
  Process proxy(flags(broker.url()), {"http_proxy=http://127.0.0.1:1", "ALL_PROXY=http://127.0.0.1:1",
                                      "OPENSSL_CONF=/nonexistent", "CURL_HOME=/nonexistent"});
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
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
