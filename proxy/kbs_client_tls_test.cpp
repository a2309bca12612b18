// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "proxy/recorded_client.h"

namespace attestbed::proxy {
namespace {

const VectorCase& plain() {
  return vector_case("plain");
}

struct Client : RecordedClient {
  explicit Client(const std::string& url, const std::string& ca = {}) : RecordedClient(plain(), url, ca) {}
};

TEST(KbsClientTls, HttpsToAServerWithoutTlsIsUnreachable) {
  HttpBroker broker(plain());
  Client client("https://127.0.0.1" + broker.url().substr(broker.url().rfind(':')));
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, Errc::broker_unreachable) << challenge.error().detail;
  EXPECT_EQ(challenge.error().detail, "/auth: no TLS comes about: does --url name a port that speaks https?");
  EXPECT_TRUE(broker.requests().empty());
}

// The certificate is for `localhost`, so another name for the same machine is a wrong one.
TEST(KbsClientTls, HttpsIsVerified) {
  HttpBroker broker(plain(), HttpBroker::Scheme::https);
  const std::string port = broker.url().substr(broker.url().rfind(':'));
  const std::string ca = ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/ca.pem";

  Client good("https://localhost" + port, ca);
  const auto challenge = good.auth();
  EXPECT_TRUE(challenge) << challenge.error().detail;
  EXPECT_TRUE(good.attest() && good.resource());

  Client other_name("https://127.0.0.1" + port, ca);
  Client other_roots("https://localhost" + port);
  Client wrong_roots("https://localhost" + port, ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/client-ca.pem");
  struct Wrong {
    Client& client;
    const char* says;
  };
  for (const Wrong& wrong :
       {Wrong{other_name, "is for another host name than that of --url"}, Wrong{other_roots, "give its CA with --ca"},
        Wrong{wrong_roots, "does not lead to a root of --ca"}}) {
    const auto refused = wrong.client.auth();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::broker_unreachable) << refused.error().detail;
    EXPECT_TRUE(refused.error().detail.ends_with(wrong.says)) << refused.error().detail;
  }
  EXPECT_EQ(broker.requests().size(), 3U) << "nothing was sent to a server that was not verified";
}

TEST(KbsClientTls, CaFileThatCannotBeReadIsAConfigurationError) {
  posix::SteadyClock clock;
  for (const char* file : {"/nonexistent/ca.pem", ATTESTBED_SOURCE_DIR "/proxy/testdata/tls/README.md"}) {
    const auto backend = make_kbs_backend({.url = "https://localhost", .ca_file = file}, clock);
    ASSERT_FALSE(backend) << file;
    EXPECT_EQ(backend.error().code, Errc::bad_config);
    EXPECT_TRUE(backend.error().detail.starts_with(std::string("--ca ") + file)) << backend.error().detail;
  }
}

}  // namespace
}  // namespace attestbed::proxy
