// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/parity.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "mock-kbs/broker_fixture.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

class KbsTest : public testing::Test {
 protected:
  Response send(Request request) {
    return serve_as_kbs_test(request, [this](const Request& one) { return handle(fixture_.broker(), one); });
  }
  Response post(const std::string& path, const std::string& body, const std::string& cookies = {}) {
    return send({.method = "POST",
                 .target = "/kbs/v0/" + path,
                 .body = body,
                 .cookies = cookies,
                 .authorization = {},
                 .peer = "test"});
  }
  Response resource(const std::string& path, const std::string& cookies, const std::string& authorization = {}) {
    return send({.method = "GET",
                 .target = "/kbs/v0/resource/" + path,
                 .body = {},
                 .cookies = cookies,
                 .authorization = authorization,
                 .peer = "test"});
  }
  TestGuest guest() {
    const Response challenge = post("auth", R"({"version":"0.4.0","tee":"snp","extra-params":""})");
    EXPECT_EQ(challenge.status, 200);
    EXPECT_TRUE(std::regex_match(challenge.set_cookie, std::regex("kbs-session-id=[0-9a-f]{8}(-[0-9a-f]{4}){3}-"
                                                                  "[0-9a-f]{12}")))
        << challenge.set_cookie;
    TestGuest guest = fixture_.open_session();
    guest.cookie = challenge.set_cookie;
    guest.nonce = json::parse(challenge.body).at("nonce").get<std::string>();
    guest.report.report_data = BrokerFixture::report_data_for(fixture_.guest_key().point(), guest.nonce);
    return guest;
  }
  Response attest(TestGuest& guest) {
    BrokerFixture::sign(guest.report);
    return post("attest", fixture_.attest_body(guest).dump(), guest.cookie);
  }
  BrokerFixture fixture_;
};

TEST_F(KbsTest, GoesThroughAnAttestation) {
  TestGuest one = guest();
  const Response token = attest(one);
  EXPECT_EQ(token.status, 200);
  EXPECT_EQ(token.body, R"({"token":"test-token"})");
  const Response secret = resource("default/sample/test", "a=b; " + one.cookie + "; c=d-e");
  EXPECT_EQ(secret.status, 200);
  EXPECT_EQ(fixture_.open_jwe(secret.body), BrokerFixture::kSecret);
}

TEST_F(KbsTest, Answers417WithoutABodyToWhatItRefuses) {
  TestGuest unknown = guest();
  unknown.report.measurement.fill(0x77);
  TestGuest unattested = guest();
  TestGuest attested = guest();
  EXPECT_EQ(attest(attested).status, 200);
  for (const Response& response :
       {post("auth", R"({"version":"0.3.0","tee":"snp","extra-params":""})"), attest(unknown),
        resource("default/sample/test", unattested.cookie), resource("default/sample/test", {}),
        resource("default/sample/test", {}, "Bearer test-token")}) {
    EXPECT_EQ(response.status, 417);
    EXPECT_EQ(response.audit.status, 417);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.set_cookie, "");
    EXPECT_TRUE(response.audit.refusal);
  }
}

TEST_F(KbsTest, Answers400ToWhatItCannotRead) {
  for (const char* body : {"", "{", "[]", R"({"version":"0.4.0"})"}) EXPECT_EQ(post("auth", body).status, 400) << body;
  EXPECT_EQ(post("attest", "{}", guest().cookie).status, 400);
}

TEST_F(KbsTest, HasOneResource) {
  TestGuest one = guest();
  EXPECT_EQ(attest(one).status, 200);
  EXPECT_EQ(resource("default/sample/empty", one.cookie).status, 404);
}

// kbs-test keeps its keys on one stack, so that of two guests at once each may get what is sealed to the other.
TEST_F(KbsTest, KeepsGuestsApart) {
  TestGuest first = guest(), second = guest();
  EXPECT_EQ(attest(first).status, 200);
  EXPECT_EQ(resource("default/sample/test", second.cookie).status, 417);
  EXPECT_EQ(attest(second).status, 200);
  EXPECT_EQ(resource("default/sample/test", first.cookie).status, 200);
  EXPECT_EQ(resource("default/sample/test", first.cookie).status, 200);  // a second time, too
}

}  // namespace
}  // namespace attestbed::kbs
