// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/tls.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "core/posix/fd.h"
#include "http-server/http_stream.h"
#include "mock-kbs/broker_fixture.h"
#include "mock-kbs/loopback_socket.h"
#include "mock-kbs/server.h"
#include "mock-kbs/tls_ca.h"
#include "mock-kbs/wall_clock.h"

namespace attestbed::kbs {
namespace {

using namespace std::chrono_literals;

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    char name[] = "/tmp/attestbed-tls-XXXXXX";
    directory_ = ::mkdtemp(name);
    make("ca");
  }
  ~TlsTest() override {
    if (server_) server_->stop();
    std::filesystem::remove_all(directory_);
  }

  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  void make(const std::string& name, const TestCa& ca = {}) {
    SystemWallClock clock;
    const Checked<void> made = make_test_ca(file(name), ca, clock.now());
    ASSERT_TRUE(made) << made.error().text();
  }
  void start(const TlsFiles& files, HttpLimits limits = {}) {
    auto tls = TlsServer::load(files);
    ASSERT_TRUE(tls) << tls.error().text();
    Service service{.handle = [this](const Request& request) { return handle(fixture_.broker(), request); },
                    .audit =
                        [this](const AuditRecord& record) {
                          const std::lock_guard lock(mutex_);
                          audit_.push_back(record);
                          written_.notify_all();
                        },
                    .tls = *std::move(tls)};
    auto started = Server::start(std::move(service), {.host = "127.0.0.1", .port = 0, .loopback = true}, limits);
    ASSERT_TRUE(started) << started.error().text();
    server_ = *std::move(started);
  }
  TlsFiles files(const std::string& ca = "ca") const {
    return {.certificate = file(ca + "/server.pem"), .key = file(ca + "/server.key"), .client_ca = {}};
  }
  std::unique_ptr<httplib::SSLClient> client(const std::string& root = "ca/ca.pem",
                                             const std::string& host = "127.0.0.1", const std::string& identity = {}) {
    auto made = identity.empty() ? std::make_unique<httplib::SSLClient>(host, server_->port())
                                 : std::make_unique<httplib::SSLClient>(host, server_->port(), file(identity + ".pem"),
                                                                        file(identity + ".key"));
    made->set_ca_cert_path(file(root).c_str());
    made->enable_server_certificate_verification(true);
    made->set_keep_alive(true);
    return made;
  }
  std::vector<AuditRecord> audit(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(written_.wait_for(lock, 60s, [&] { return audit_.size() >= count; }));
    return audit_;
  }

  std::string directory_;
  BrokerFixture fixture_;
  std::mutex mutex_;
  std::condition_variable written_;
  std::vector<AuditRecord> audit_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, ServesWhoTrustsTheCa) {
  start(files());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto guest = client("ca/ca.pem", host);
    for (int i = 0; i < 3; ++i) {
      const auto challenge =
          guest->Post("/kbs/v0/auth", R"({"version":"0.4.0","tee":"snp","extra-params":""})", "application/json");
      ASSERT_TRUE(challenge) << httplib::to_string(challenge.error());
      EXPECT_EQ(challenge->status, 200);
    }
  }
  EXPECT_EQ(audit(6).back().endpoint, "POST auth");
}

TEST_F(TlsTest, CarriesBodiesOfManyRecords) {
  start(files());
  const auto guest = client();
  const auto largest = guest->Post("/kbs/v0/auth", std::string(kMaxBodyBytes, ' '), "application/json");
  ASSERT_TRUE(largest) << httplib::to_string(largest.error());
  EXPECT_EQ(largest->status, 401);
  const auto larger = guest->Post("/kbs/v0/auth", std::string(kMaxBodyBytes + 1, ' '), "application/json");
  ASSERT_TRUE(larger) << httplib::to_string(larger.error());
  EXPECT_EQ(larger->status, 413);
}

TEST_F(TlsTest, IsNotTrustedUnderAnotherCaOrName) {
  make("other");
  make("elsewhere", {.names = {"broker.example"}});
  start(files());
  EXPECT_EQ(client("other/ca.pem")->Get("/healthz").error(), httplib::Error::SSLServerVerification);
  EXPECT_EQ(client()->Get("/healthz")->status, 200);
  server_->stop();
  start(files("elsewhere"));
  EXPECT_EQ(client("elsewhere/ca.pem")->Get("/healthz").error(), httplib::Error::SSLServerVerification);
}

TEST_F(TlsTest, DemandsAClientCertificateWhereItIsToldTo) {
  make("other");
  TlsFiles strict = files();
  strict.client_ca = file("ca/ca.pem");
  start(strict);
  EXPECT_FALSE(client()->Get("/healthz"));
  EXPECT_FALSE(client("ca/ca.pem", "127.0.0.1", "other/client")->Get("/healthz"));
  EXPECT_FALSE(client("ca/ca.pem", "127.0.0.1", "ca/server")->Get("/healthz"));  // not for clients
  const auto known = client("ca/ca.pem", "127.0.0.1", "ca/client")->Get("/healthz");
  ASSERT_TRUE(known) << httplib::to_string(known.error());
  EXPECT_EQ(known->status, 200);
  for (const AuditRecord& record : audit(4)) {
    if (record.endpoint == "connection") {
      EXPECT_EQ(record.refusal->field, "TLS");
    }
  }
}

TEST_F(TlsTest, SaysThatPlainHttpIsNoHandshake) {
  start(files());
  httplib::Client plain("127.0.0.1", server_->port());
  EXPECT_FALSE(plain.Get("/healthz"));
  const AuditRecord record = audit(1).back();
  EXPECT_EQ(record.endpoint, "connection");
  EXPECT_EQ(record.refusal->found, "http request");  // OpenSSL's word for it
  EXPECT_EQ(client()->Get("/healthz")->status, 200);
}

TEST_F(TlsTest, EndsPeersThatBeginAHandshakeAndSayNoMore) {
  start(files(), {.request = 200ms, .idle = 200ms, .drain = 100ms});
  const posix::Fd silent = loopback_socket(server_->port());
  ASSERT_TRUE(bool(silent));
  ASSERT_EQ(::send(silent.get(), "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);  // the head of a TLS record
  char octet = 0;
  EXPECT_LE(::recv(silent.get(), &octet, 1, 0), 0);
  EXPECT_EQ(client()->Get("/healthz")->status, 200);
}

struct BadFiles {
  const char* name;
  TlsFiles files;
  const char* field;
  const char* expected;
};

TEST_F(TlsTest, NamesTheFileThatIsWrong) {
  make("other");
  std::ofstream(file("junk")) << "not PEM\n";
  const BadFiles kBad[] = {
      {"NoFile", {file("none"), file("ca/server.key"), ""}, "none", "a readable file"},
      {"NoCertificate", {file("junk"), file("ca/server.key"), ""}, "junk", "a certificate in PEM"},
      {"KeyForCertificate", {file("ca/server.key"), file("ca/server.key"), ""}, "server.key", "a certificate in PEM"},
      {"NoKey", {file("ca/server.pem"), file("junk"), ""}, "junk", "a private key in PEM"},
      {"OthersKey", {file("ca/server.pem"), file("other/server.key"), ""}, "other/server.key", "the key of"},
      {"NoClientCa", {file("ca/server.pem"), file("ca/server.key"), file("junk")}, "junk", "certificates in PEM"},
  };
  for (const BadFiles& bad : kBad) {
    SCOPED_TRACE(bad.name);
    const auto loaded = TlsServer::load(bad.files);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::bad_config);
    EXPECT_NE(loaded.error().field.find(bad.field), std::string::npos) << loaded.error().field;
    EXPECT_NE(loaded.error().expected.find(bad.expected), std::string::npos) << loaded.error().expected;
  }
}

TEST_F(TlsTest, MakesNoCaOfWhatIsNone) {
  const std::vector<TestCa> kBad = {{.names = {}},
                                    {.names = {""}},
                                    {.names = {"a,DNS:b"}},
                                    {.names = {"a b"}},
                                    {.names = std::vector<std::string>(17, "a")},
                                    {.names = {std::string(254, 'a')}},
                                    {.names = {"a"}, .days = 0},
                                    {.names = {"a"}, .days = 3651}};
  SystemWallClock clock;
  for (const TestCa& bad : kBad) {
    const auto made = make_test_ca(file("bad"), bad, clock.now());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::bad_config);
    EXPECT_FALSE(std::filesystem::exists(file("bad")));
  }
  const auto again = make_test_ca(file("ca"), {}, clock.now());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::io_failed);
  EXPECT_EQ(std::filesystem::status(file("ca/server.key")).permissions() & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace attestbed::kbs
