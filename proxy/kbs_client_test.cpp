// SPDX-License-Identifier: Apache-2.0
#include "proxy/kbs_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

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

TEST(KbsClient, CarriesAGuestThroughAllThreeCalls) {
  HttpBroker broker(plain());
  Client client(broker.url());
  const auto challenge = client.auth();
  ASSERT_TRUE(challenge) << challenge.error().detail;
  EXPECT_TRUE(std::ranges::equal(challenge->octets(), bytes_of(plain().challenge)));
  EXPECT_EQ(client.session().last_call().status, 200);
  EXPECT_EQ(client.session().last_call().octets_sent, plain().auth_request.size());
  EXPECT_EQ(client.session().last_call().octets_received, plain().auth_response.size());
  EXPECT_EQ(client.session().last_call().peer, broker.requests().at(0).peer) << "by which the broker's log is searched";
  const auto token = client.attest();
  ASSERT_TRUE(token) << token.error().detail;
  EXPECT_EQ(*token, plain().token);
  EXPECT_EQ(client.session().last_call().peer, broker.requests().at(1).peer);
  const auto sealed = client.resource();
  ASSERT_TRUE(sealed) << sealed.error().detail;
  EXPECT_EQ(sealed->protected_header, plain().protected_header);

  const auto requests = broker.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].line, kAuth);
  EXPECT_EQ(requests[0].body, plain().auth_request);
  EXPECT_EQ(requests[1].line, kAttest);
  EXPECT_EQ(requests[1].body, plain().attest_request);
  EXPECT_EQ(requests[2].line, kResource);
  EXPECT_EQ(requests[2].body, "");
}

TEST(KbsClient, AsksForNoCompressionAndSaysNothingSuperfluous) {
  HttpBroker broker(plain());
  Client client(broker.url());
  ASSERT_TRUE(client.auth() && client.attest() && client.resource());
  for (const HttpBroker::Request& request : broker.requests()) {
    for (const char* unwanted : {"Accept-Encoding", "Expect", "Authorization", "Referer", "Proxy-Connection"}) {
      EXPECT_EQ(header(request, unwanted), nullptr) << request.line << " " << unwanted;
    }
  }
  EXPECT_EQ(*header(broker.requests()[0], "Content-Type"), "application/json");
}

TEST(KbsClient, EnvironmentChangesNothing) {
  // Nothing listens on port 1: a client that heeded these would fail.
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    ASSERT_EQ(setenv(name, "http://127.0.0.1:1", 1), 0);
  }
  HttpBroker broker(plain());
  Client client(broker.url());
  const auto challenge = client.auth();
  EXPECT_TRUE(challenge) << challenge.error().detail;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
}

// ---- Whole answers that are not what was asked for.

struct BadAnswer {
  const char* name;
  const char* line;
  HttpBroker::Answer answer;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const BadAnswer& bad) {
  return out << bad.line << " " << bad.name;
}
std::string problem(const std::string& kind) {
  return R"({"type":"https://github.com/confidential-containers/kbs/errors/)" + kind + R"(","detail":"why"})";
}
const std::string kHtml = "\n<html><title>Sign in</title></html>";
// gzip of {"token":"x"}, as a broker would send it that compresses unasked.
const std::string kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\xc9\xcf\x4e\xcd\x53\xb2\x52\xaa\x50\xaa\x05\x00\xb6\x29\xca"
    "\x2d\x0d\x00\x00\x00",
    33);

class BadAnswers : public testing::TestWithParam<BadAnswer> {};
INSTANTIATE_TEST_SUITE_P(
    KbsClient, BadAnswers,
    testing::Values(
        BadAnswer{"401", kAuth, {401, problem("AttestationError"), {}}, Errc::broker_version},
        BadAnswer{"417 of kbs-test", kAuth, {417, "", {}}, Errc::broker_version},
        BadAnswer{"403 of a gateway", kAuth, {403, "Forbidden: why", {}}, Errc::broker_malformed},
        BadAnswer{"401 of a gateway", kAuth, {401, R"({"message":"why"})", {}}, Errc::broker_malformed},
        BadAnswer{"401 without a body", kAuth, {401, "", {}}, Errc::broker_malformed},
        BadAnswer{"404", kAuth, {404, "", {}}, Errc::broker_malformed},
        BadAnswer{"429", kAuth, {429, "", {}}, Errc::broker_unavailable},
        BadAnswer{"500", kAuth, {500, "{}", {}}, Errc::broker_unavailable},
        BadAnswer{"503 with a good body", kAuth, {503, plain().auth_response, {}}, Errc::broker_unavailable},
        BadAnswer{"201 with a good body", kAuth, {201, plain().auth_response, {}}, Errc::broker_malformed},
        BadAnswer{"redirect", kAuth, {307, "", {{"Location", "http://127.0.0.1:1/"}}}, Errc::broker_malformed},
        BadAnswer{"redirect to a file", kAuth, {302, "", {{"Location", "file:///etc/passwd"}}}, Errc::broker_malformed},
        BadAnswer{"HTML", kAuth, {200, kHtml, {}}, Errc::broker_malformed},
        BadAnswer{"HTML 401", kAuth, {401, kHtml, {}}, Errc::broker_malformed},
        BadAnswer{
            "HTML 401 behind a byte order mark", kAuth, {401, "\xef\xbb\xbf" + kHtml, {}}, Errc::broker_malformed},
        BadAnswer{"empty", kAuth, {200, "", {}}, Errc::broker_malformed},
        BadAnswer{"short nonce", kAuth, {200, R"({"nonce":"AAAA","extra-params":""})", {}}, Errc::broker_nonce},
        BadAnswer{"above the cap", kAuth, {200, std::string(300 * 1024, ' '), {}}, Errc::broker_malformed},
        BadAnswer{"header above the cap",
                  kAuth,
                  {200, plain().auth_response, {{"X-Fill", std::string(40 * 1024, 'x')}}},
                  Errc::broker_malformed},
        BadAnswer{"401", kAttest, {401, problem("AttestationError"), {}}, Errc::attestation_refused},
        BadAnswer{"417 of kbs-test", kAttest, {417, "", {}}, Errc::attestation_refused},
        BadAnswer{"502", kAttest, {502, kHtml, {}}, Errc::broker_unavailable},
        BadAnswer{"503", kResource, {503, "", {}}, Errc::broker_unavailable},
        BadAnswer{"no token", kAttest, {200, "{}", {}}, Errc::broker_malformed},
        BadAnswer{"truncated", kAttest, {200, R"({"token":"eyJ)", {}}, Errc::broker_malformed},
        BadAnswer{"201 with a token", kAttest, {201, R"({"token":"eyJ"})", {}}, Errc::broker_malformed},
        BadAnswer{"gzip unasked", kAttest, {200, kGzip, {{"Content-Encoding", "gzip"}}}, Errc::broker_malformed},
        BadAnswer{"policy", kResource, {401, problem("PolicyDeny"), {}}, Errc::secret_refused},
        BadAnswer{"missing", kResource, {401, problem("PluginInternalError"), {}}, Errc::secret_refused},
        BadAnswer{"404", kResource, {404, problem("PluginNotFound"), {}}, Errc::secret_refused},
        BadAnswer{"404 in HTML", kResource, {404, kHtml, {}}, Errc::broker_malformed},
        BadAnswer{"no JWE", kResource, {200, R"({"secret":"x"})", {}}, Errc::broker_malformed},
        BadAnswer{"above the cap", kResource, {200, std::string(300 * 1024, ' '), {}}, Errc::secret_too_large}));

TEST_P(BadAnswers, BecomeTheirCode) {
  const BadAnswer& bad = GetParam();
  HttpBroker broker(plain());
  broker.answer(bad.line, bad.answer);
  Client client(broker.url());
  Failure failure;
  if (const auto challenge = client.auth(); !challenge) {
    failure = challenge.error();
  } else if (const auto token = client.attest(); !token) {
    failure = token.error();
  } else if (const auto sealed = client.resource(); !sealed) {
    failure = sealed.error();
  }
  EXPECT_EQ(failure.code, bad.code) << error_name(failure.code) << ": " << failure.detail;
  EXPECT_EQ(broker.requests().back().line, bad.line) << "nothing follows: no redirect, no retry";
  EXPECT_LE(failure.received.size(), 4 * kMaxReceivedBytes);
  EXPECT_EQ(failure.received.find("eyJ"), std::string::npos) << "a damaged token is no text for a log";
  EXPECT_EQ(failure.detail.find("why"), std::string::npos) << "the broker's words are not the guest's";
}

TEST(KbsClient, HtmlIsShownInTheLogAndNamed) {
  HttpBroker broker(plain());
  broker.answer(kAuth, {200, kHtml + std::string(500, '.'), {}});
  Client client(broker.url());
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().received, "\\n" + (kHtml + std::string(500, '.')).substr(1, 199));
  EXPECT_EQ(challenge.error().detail, "/auth: the broker answered 200 with a page of markup; does --url name a KBS?");
}

TEST(KbsClient, HtmlBehindAByteOrderMarkIsNamed) {
  HttpBroker broker(plain());
  broker.answer(kAuth, {200, "\xef\xbb\xbf" + kHtml, {}});
  Client client(broker.url());
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().detail, "/auth: the broker answered 200 with a page of markup; does --url name a KBS?");
}

TEST(KbsClient, NothingIsNamedToo) {
  HttpBroker broker(plain());
  broker.answer(kAttest, {200, "", {}});
  Client client(broker.url());
  ASSERT_TRUE(client.auth());
  const auto token = client.attest();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().detail, "/attest: the broker answered 200 with an empty body");
  EXPECT_EQ(token.error().received, "(an empty body)");
}

// Trustee's words when it serves another version.
TEST(KbsClient, AnotherVersionIsNamedInWords) {
  HttpBroker broker(plain());
  const std::string type = R"({"type":"https://github.com/confidential-containers/kbs/errors/AttestationError",)";
  broker.answer(kAuth, {401,
                        type + R"("detail":"KBS Client Protocol Version Mismatch: expect =0.2.0 while the )" +
                            R"(request is 0.4.0"})",
                        {}});
  Client client(broker.url());
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, Errc::broker_version);
  EXPECT_EQ(challenge.error().detail,
            "/auth: the broker answered 401 AttestationError; the broker speaks 0.2.0, this proxy speaks 0.4.0");
  broker.answer(kAuth, {401, problem("AttestationError"), {}});
  EXPECT_EQ(client.auth().error().detail, "/auth: the broker answered 401 AttestationError; this proxy speaks 0.4.0");
}

TEST(KbsClient, GatewayThatRefusesIsNoVersion) {
  HttpBroker broker(plain());
  broker.answer(kAuth, {403, "Forbidden", {}});
  Client client(broker.url());
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().detail,
            "/auth: the broker answered 403 and no KBS error; does a gateway before the broker ask for authorization?");
  EXPECT_EQ(challenge.error().received, "Forbidden");
}

// ---- Answers that are not whole.

struct BadConnection {
  const char* name;
  std::vector<std::string> pieces;
  RawBroker::Then then;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const BadConnection& bad) {
  return out << bad.name;
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kChunks = kOk + "Transfer-Encoding: chunked\r\n\r\n";
constexpr auto kClose = RawBroker::Then::close, kHold = RawBroker::Then::hold;
constexpr Errc kCut = Errc::broker_unreachable;
class BadConnections : public testing::TestWithParam<BadConnection> {};
INSTANTIATE_TEST_SUITE_P(
    KbsClient, BadConnections,
    testing::Values(
        BadConnection{"accepts and closes", {}, kClose, kCut},
        BadConnection{"accepts and is silent", {}, kHold, Errc::broker_timeout},
        BadConnection{"headers that never end", {kOk, "X: 1\r\n"}, kHold, Errc::broker_timeout},
        BadConnection{
            "half a body, then silence", {kOk + "Content-Length: 100\r\n\r\n{\"no"}, kHold, Errc::broker_timeout},
        BadConnection{"half a body, then the end", {kOk + "Content-Length: 100\r\n\r\n{\"no"}, kClose, kCut},
        BadConnection{"half a chunk, then the end", {kChunks + "64\r\n{\"no"}, kClose, kCut},
        BadConnection{"chunks without the last", {kChunks + "2\r\n{}\r\n"}, kClose, kCut},
        BadConnection{"half a head line, then the end", {kOk + "Content-Le"}, kClose, kCut},
        BadConnection{"head lines without their end", {kOk + "X: 1\r\n"}, kClose, kCut},
        BadConnection{
            "a provisional answer, then half a head", {"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\n"}, kClose, kCut},
        BadConnection{
            "a length that is too large", {kOk + "Content-Length: 99999999\r\n\r\n{"}, kHold, Errc::broker_malformed},
        BadConnection{
            "an endless chunk", {kChunks + "80000\r\n", std::string(0x80000, 'x')}, kHold, Errc::broker_malformed},
        BadConnection{"no HTTP", {"SSH-2.0-OpenSSH_9.2\r\n"}, kClose, Errc::broker_malformed},
        BadConnection{"HTTP/0.9", {"{\"nonce\":\"TageHNDeCX1Q72FbMXVC8A==\"}"}, kClose, Errc::broker_malformed}));

TEST_P(BadConnections, EndByTheDeadline) {
  RawBroker broker(GetParam().pieces, GetParam().then);
  Client client(broker.url());
  const bool waits = GetParam().code == Errc::broker_timeout;
  const auto challenge = client.auth(waits ? 200ms : 60s);
  ASSERT_FALSE(challenge);
  EXPECT_STREQ(error_name(challenge.error().code), error_name(GetParam().code)) << challenge.error().detail;
}

TEST(KbsClient, NobodyListening) {
  std::string url;
  {
    const RawBroker gone({}, RawBroker::Then::close);
    url = gone.url();
  }
  Client client(url);
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, Errc::broker_unreachable);
}

TEST(KbsClient, CancellingEndsACall) {
  const RawBroker silent({}, RawBroker::Then::hold);
  Client client(silent.url());
  client.cancelled = true;
  const auto challenge = client.auth();
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, Errc::proxy_stopping);
}

TEST(KbsClient, SpentBudgetSendsNothing) {
  HttpBroker broker(plain());
  Client client(broker.url());
  const auto challenge = client.auth(0ms);
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, Errc::broker_timeout);
  EXPECT_TRUE(broker.requests().empty());
}

}  // namespace
}  // namespace attestbed::proxy
