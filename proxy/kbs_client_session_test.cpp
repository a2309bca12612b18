// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "proxy/fingerprint.h"
#include "proxy/recorded_client.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

const VectorCase& plain() {
  return vector_case("plain");
}

struct Client : RecordedClient {
  explicit Client(const std::string& url) : RecordedClient(plain(), url) {}
};

TEST(KbsClientSession, CookiesOfTwoSessionsStayApart) {
  HttpBroker broker(plain());
  Client first(broker.url()), second(broker.url());
  EXPECT_EQ(first.session().label(), "");
  ASSERT_TRUE(first.auth() && second.auth() && second.attest() && first.attest());
  const auto requests = broker.requests();
  EXPECT_EQ(header(requests[1], "Cookie"), nullptr) << "the second session begins without the first one's cookie";
  EXPECT_EQ(*header(requests[2], "Cookie"), "kbs-session-id=session2");
  EXPECT_EQ(*header(requests[3], "Cookie"), "kbs-session-id=session1");
  EXPECT_EQ(first.session().label(), fingerprint("session1"));
  EXPECT_EQ(second.session().label(), fingerprint("session2"));
}

TEST(KbsClientSession, ExpiredSessionIsRetriedOnceWithTheToken) {
  HttpBroker broker(plain());
  Client client(broker.url());
  ASSERT_TRUE(client.auth() && client.attest());
  broker.expire_sessions();
  EXPECT_TRUE(client.resource());
  const auto requests = broker.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(*header(requests[3], "Authorization"), "Bearer " + plain().token);
  EXPECT_EQ(header(requests[3], "Cookie"), nullptr);
}

TEST(KbsClientSession, TokenThatIsNotTakenEitherMeansAnExpiredSession) {
  HttpBroker broker(plain());
  broker.answer(kResource, {401, R"({"type":"https://x/errors/TokenNotFound","detail":""})", {}});
  Client client(broker.url());
  ASSERT_TRUE(client.auth() && client.attest());
  const auto sealed = client.resource();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::session_expired);
  EXPECT_EQ(broker.requests().size(), 4U) << "one retry, not more";
}

// What a session ended by its lifetime looks like from here: the cookie's own end has passed and the broker says 401.
// Whether the guest is told "refused" or "start anew" hangs on it, and must not hang on the 401 alone.
struct Lifetime {
  const char* name;
  const char* attributes;
  Errc attest, resource;
};
class Lifetimes : public testing::TestWithParam<Lifetime> {};
INSTANTIATE_TEST_SUITE_P(
    KbsClientSession, Lifetimes,
    testing::Values(Lifetime{"PastMaxAge", "; Max-Age=600", Errc::session_expired, Errc::session_expired},
                    Lifetime{"BeforeMaxAge", "; Max-Age=6000", Errc::attestation_refused, Errc::secret_refused},
                    Lifetime{"NoEnd", "", Errc::attestation_refused, Errc::secret_refused}),
    [](const auto& i) { return i.param.name; });

TEST_P(Lifetimes, TellAnEndedSessionFromARefusal) {
  for (const bool at_attest : {true, false}) {
    HttpBroker broker(plain());
    broker.answer(
        kAuth,
        {200, plain().auth_response, {{"Set-Cookie", std::string("kbs-session-id=short") + GetParam().attributes}}});
    const char* refusing = at_attest ? kAttest : kResource;
    if (!at_attest) broker.answer(kAttest, {200, plain().attest_response, {}});
    broker.answer(refusing, {401, R"({"type":"https://x/errors/AttestationError","detail":""})", {}});
    Client client(broker.url());
    ASSERT_TRUE(client.auth());
    client.advance(std::chrono::seconds(601));
    Errc code{};
    if (const auto token = client.attest(); !token) {
      code = token.error().code;
    } else if (const auto sealed = client.resource(); !sealed) {
      code = sealed.error().code;
    }
    EXPECT_EQ(code, at_attest ? GetParam().attest : GetParam().resource) << error_name(code);
  }
}

}  // namespace
}  // namespace attestbed::proxy
