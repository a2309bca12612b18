// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "proxy/line_attempt.h"
#include "proxy/log_capture.h"
#include "proxy/recorded_client.h"

namespace attestbed::proxy {
namespace {

const std::string kTls = ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/";

const VectorCase& plain() {
  return vector_case("plain");
}

// ---- Who the proxy is, to a broker that asks.

TEST(KbsClientFiles, ClientCertificateIsShownToABrokerThatAsks) {
  HttpBroker broker(plain(), HttpBroker::Scheme::https_for_known);
  BrokerConfig config{.url = broker.url(), .ca_file = kTls + "ca.pem"};
  RecordedClient nobody(plain(), config);
  const auto refused = nobody.auth();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::broker_unreachable) << refused.error().detail;
  EXPECT_NE(refused.error().detail.find("--client-cert"), std::string::npos) << refused.error().detail;
  EXPECT_TRUE(broker.requests().empty());

  config.client_certificate = kTls + "client.pem";
  config.client_key = kTls + "client.key";
  RecordedClient known(plain(), config);
  const auto challenge = known.auth();
  ASSERT_TRUE(challenge) << challenge.error().detail;
  EXPECT_TRUE(known.attest() && known.resource());
}

struct Unfit {
  const char* name;
  BrokerConfig config;
  std::string says;
};
std::ostream& operator<<(std::ostream& out, const Unfit& unfit) {
  return out << unfit.name;
}
class UnfitFiles : public testing::TestWithParam<Unfit> {};
INSTANTIATE_TEST_SUITE_P(
    KbsClientFiles, UnfitFiles,
    testing::Values(
        Unfit{"no roots", {.url = "https://localhost", .ca_file = "/nonexistent/ca.pem"}, "--ca /nonexistent/ca.pem"},
        Unfit{"no certificate",
              {.url = "https://localhost", .client_certificate = "/nonexistent", .client_key = kTls + "client.key"},
              "--client-cert /nonexistent cannot be read"},
        Unfit{
            "a key for a certificate",
            {.url = "https://localhost", .client_certificate = kTls + "client.key", .client_key = kTls + "client.key"},
            "client.key holds no certificate in PEM"},
        Unfit{
            "a certificate for a key",
            {.url = "https://localhost", .client_certificate = kTls + "client.pem", .client_key = kTls + "client.pem"},
            "client.pem holds no private key in PEM"},
        Unfit{"an encrypted key",
              {.url = "https://localhost",
               .client_certificate = kTls + "client.pem",
               .client_key = kTls + "client-encrypted.key"},
              "client-encrypted.key is encrypted"},
        Unfit{
            "another's key",
            {.url = "https://localhost", .client_certificate = kTls + "client.pem", .client_key = kTls + "server.key"},
            "server.key is not the key of --client-cert " + kTls + "client.pem"},
        Unfit{"no directory",
              {.url = "https://localhost", .certs_directory = "/nonexistent"},
              "--certs: /nonexistent holds neither vcek nor vlek"}));

TEST_P(UnfitFiles, AreAConfigurationErrorAtTheStart) {
  posix::SteadyClock clock;
  const auto backend = make_kbs_backend(GetParam().config, clock);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::bad_config);
  EXPECT_NE(backend.error().detail.find(GetParam().says), std::string::npos) << backend.error().detail;
}

// ---- Certificates for guests that bring none.

class CertsDirectory : public testing::Test {
 protected:
  CertsDirectory() {
    std::string path = "/tmp/attestbed-certs-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = path;
    std::filesystem::copy_file(ATTESTBED_SOURCE_DIR "/core/verify/testdata/certs/v3-milan.vcek.der",
                               directory_ / "vcek.der");
  }
  ~CertsDirectory() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

nlohmann::json primary_evidence(const HttpBroker& broker) {
  return nlohmann::json::parse(broker.requests().back().body)["tee-evidence"]["primary_evidence"];
}

TEST_F(CertsDirectory, IsAttachedInTheFormOfTheBinding) {
  HttpBroker broker(plain());
  broker.answer("POST /kbs/v0/attest", {200, plain().attest_response, {}});
  const BrokerConfig config{.url = broker.url(), .certs_directory = directory_.string()};
  RecordedClient structured(plain(), config);
  ASSERT_TRUE(structured.auth());
  ASSERT_TRUE(structured.attest(protocol::Binding::kbs_sha384));
  const auto chain = primary_evidence(broker)["cert_chain"];
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(chain[0]["cert_type"], "VCEK");
  EXPECT_EQ(chain[0]["data"].size(), std::filesystem::file_size(directory_ / "vcek.der"));

  RecordedClient raw(plain(), config);
  ASSERT_TRUE(raw.auth() && raw.attest());
  const std::string table = primary_evidence(broker)["certs-buf"];
  // 63da758d-e664-4564-adc5-f4b93be8accd is a VCEK in a certificate table (56421).
  EXPECT_TRUE(table.starts_with("Y9p1jeZkRWStxfS5O+isz")) << table.substr(0, 40);
}

TEST_F(CertsDirectory, GivesWayToWhatTheGuestBrings) {
  HttpBroker broker(plain());
  broker.answer("POST /kbs/v0/attest", {200, plain().attest_response, {}});
  RecordedClient client(plain(), BrokerConfig{.url = broker.url(), .certs_directory = directory_.string()});
  client.guest_brings({0xfb, 0xff, 0x00});
  ASSERT_TRUE(client.auth() && client.attest());
  EXPECT_EQ(primary_evidence(broker)["certs-buf"], "+/8A");
}

// What a whole attempt posts for a guest whose certificate table has three octets.
nlohmann::json posted_for(const std::string& terms, const std::filesystem::path& directory) {
  HttpBroker broker(plain());
  broker.answer("POST /kbs/v0/attest", {200, plain().attest_response, {}});
  posix::SteadyClock clock;
  const auto backend = make_kbs_backend({.url = broker.url(), .certs_directory = directory.string()}, clock);
  LineAttempt attempt(**backend);
  EXPECT_TRUE(attempt.guest.send(R"({"version":[0,1,0],"tee":"snp")" + terms + "}"));
  EXPECT_NE(attempt.guest.receive().find("challenge"), std::string::npos);
  auto frame = nlohmann::ordered_json::parse(plain().attestation_request);
  frame["evidence"]["Snp"]["certs_buf"] = "+/8A";
  EXPECT_TRUE(attempt.guest.send(frame.dump()));
  EXPECT_EQ(attempt.state(), LineState::in_step);
  return nlohmann::json::parse(broker.requests().at(1).body)["tee-evidence"]["primary_evidence"];
}

TEST_F(CertsDirectory, ServesInPlaceOfATableThatIsNone) {
  LogCapture log;
  const auto evidence =
      posted_for(R"(,"ext":{"binding":"kbs-sha384","key":"P-521","resource":"default/sample/test"})", directory_);
  ASSERT_EQ(evidence["cert_chain"].size(), 1U);
  EXPECT_EQ(evidence["cert_chain"][0]["data"].size(), std::filesystem::file_size(directory_ / "vcek.der"));
  EXPECT_TRUE(log.has("certs_unreadable")) << log.text();
  EXPECT_TRUE(log.has(R"("octets":3,"why":"truncated at )")) << log.text();
}

TEST_F(CertsDirectory, LeavesATableAloneThatGoesAsItIs) {
  LogCapture log;
  EXPECT_EQ(posted_for("", directory_)["certs-buf"], "+/8A");
  EXPECT_FALSE(log.has("certs_unreadable")) << log.text();
}

}  // namespace
}  // namespace attestbed::proxy
