// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_injector.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mock-kbs/fault_fixture.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

std::string nonce_of(const Response& response) {
  return json::parse(response.body).at("nonce").get<std::string>();
}
std::string token_of(const Response& response) {
  return json::parse(response.body).at("token").get<std::string>();
}

TEST(FaultInjector, CountsEachEndpointForItself) {
  FaultyBroker broker({"attest:2:500", "resource:1+:503"});
  TestGuest first, second;
  EXPECT_EQ(broker.auth(first).status, 200);
  EXPECT_EQ(broker.auth(second).status, 200);
  EXPECT_EQ(broker.attest(first).status, 200);
  const Response broken = broker.attest(second);
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.audit.status, 500);
  EXPECT_EQ(broken.audit.fault, "attest:2:500");
  EXPECT_FALSE(broken.audit.refusal);  // what the broker itself made of the request
  EXPECT_EQ(broker.resource(first).status, 503);
  EXPECT_EQ(broker.resource(first).status, 503);
}

TEST(FaultInjector, LeavesEveryOtherRequestAlone) {
  FaultyBroker broker({"any:1+:500"});
  for (const char* target : {"/healthz", "/kbs/v0/nothing", "/elsewhere"}) {
    const Response response = broker.send({.method = "GET", .target = target});
    EXPECT_NE(response.status, 500) << target;
    EXPECT_EQ(response.audit.fault, "");
  }
}

TEST(FaultInjector, TakesTheFirstThatFitsAndCountsForAll) {
  FaultyBroker broker({"auth:1:500", "auth:2+:502", "any:2:504"});
  TestGuest guest;
  EXPECT_EQ(broker.auth(guest).status, 500);
  EXPECT_EQ(broker.auth(guest).status, 502);
  broker.faults().set({});
  EXPECT_EQ(broker.auth(guest).status, 200);
  EXPECT_TRUE(broker.faults().plan().faults.empty());
}

TEST(FaultInjector, ChoosesASession) {
  FaultyBroker broker({"any@session=2:2:500"});
  TestGuest first, second;
  EXPECT_EQ(broker.auth(first).status, 200);
  EXPECT_EQ(broker.auth(second).status, 200);
  EXPECT_EQ(broker.attest(first).status, 200);
  EXPECT_EQ(broker.attest(second).status, 500);
  EXPECT_EQ(broker.resource(first).status, 200);
  EXPECT_EQ(broker.resource(second).status, 200);
}

TEST(FaultInjector, ChoosesAGuest) {
  FaultyBroker broker({"resource@guest=lax-guest:1+:500", "attest@guest=lax-guest:2:502"});
  const TestGuest plain = broker.attested();
  const TestGuest lax = broker.attested(0xa4);
  EXPECT_EQ(broker.resource(plain).status, 200);
  EXPECT_EQ(broker.resource(lax).status, 500);
  TestGuest again;
  EXPECT_EQ(broker.auth(again).status, 200);
  EXPECT_EQ(broker.attest(again, 0xa4).status, 502);
}

TEST(FaultInjector, IsTheSameForTheSameSeed) {
  const auto statuses = [](std::uint64_t seed) {
    FaultyBroker broker({"auth:1/3:500"}, seed);
    TestGuest guest;
    std::string all;
    for (int i = 0; i < 64; ++i) all += broker.auth(guest).status == 500 ? '!' : '.';
    return all;
  };
  EXPECT_EQ(statuses(1), statuses(1));
  EXPECT_NE(statuses(1), statuses(2));
}

TEST(FaultInjector, RepeatsANonceOfAnEarlierSession) {
  FaultyBroker broker({"auth:1+:nonce-repeated"});
  TestGuest guest;
  const Response first = broker.auth(guest);
  EXPECT_EQ(first.audit.fault, "");  // nothing to repeat yet
  EXPECT_EQ(first.audit.fault_skipped, "auth:1+:nonce-repeated");
  const Response second = broker.auth(guest);
  EXPECT_EQ(nonce_of(second), nonce_of(first));
  EXPECT_EQ(second.audit.fault, "auth:1+:nonce-repeated");
  EXPECT_EQ(second.audit.fault_skipped, "");
  EXPECT_NE(second.set_cookie, first.set_cookie);
  // The broker itself knows better: the session's own nonce is another.
  const Response refused = broker.attest(guest);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.audit.refusal->code, Errc::nonce_mismatch);
}

TEST(FaultInjector, EndsASessionBeforeAttest) {
  FaultyBroker broker({"attest:1:session-expired"});
  TestGuest guest;
  EXPECT_EQ(broker.auth(guest).status, 200);
  const Response refused = broker.attest(guest);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.audit.refusal->code, Errc::session_unknown);
  EXPECT_NE(refused.body.find("/AttestationError"), std::string::npos);
  EXPECT_EQ(broker.attest(guest).status, 401);
}

TEST(FaultInjector, EndsASessionBeforeTheResourceSoThatTheTokenCounts) {
  FaultyBroker broker({"resource:1:session-expired"});
  TestGuest guest;
  EXPECT_EQ(broker.auth(guest).status, 200);
  const std::string token = token_of(broker.attest(guest));
  const Response refused = broker.resource(guest);
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("/TokenNotFound"), std::string::npos);
  const Response again = broker.resource(guest, "default/sample/test", token);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(broker.fixture().open_jwe(again.body), BrokerFixture::kSecret);
}

TEST(FaultInjector, IssuesATokenThatHasExpired) {
  FaultyBroker broker({"attest:1:token-expired"});
  TestGuest guest;
  EXPECT_EQ(broker.auth(guest).status, 200);
  const Response response = broker.attest(guest);
  EXPECT_EQ(response.audit.fault, "attest:1:token-expired");
  const std::string token = token_of(response);
  TestGuest stranger = guest;
  stranger.cookie.clear();
  const Response refused = broker.resource(stranger, "default/sample/test", token);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.audit.refusal->code, Errc::token_expired);  // so its signature held
}

TEST(FaultInjector, ReplaysAWholeEarlierExchange) {
  FaultyBroker broker({"auth:2:replay", "attest:2:replay", "resource:2:replay"});
  TestGuest first;
  const Response challenge = broker.auth(first);
  const Response token = broker.attest(first);
  const Response secret = broker.resource(first);
  TestGuest second;
  const Response challenge_again = broker.auth(second);
  EXPECT_EQ(challenge_again.body, challenge.body);
  EXPECT_EQ(challenge_again.set_cookie, challenge.set_cookie);
  EXPECT_EQ(broker.attest(second).body, token.body);
  EXPECT_EQ(broker.resource(second).body, secret.body);
}

TEST(FaultInjector, GivesTheSecretOfAnotherGuest) {
  FaultyBroker broker({"resource:3:secret-other-guest"});
  const TestGuest lax = broker.attested(0xa4);
  const TestGuest plain = broker.attested();
  EXPECT_EQ(broker.resource(lax, "default/sample/empty").status, 200);
  EXPECT_EQ(broker.fixture().open_jwe(broker.resource(plain).body), BrokerFixture::kSecret);
  const Response mixed = broker.resource(plain);
  EXPECT_EQ(mixed.audit.fault, "resource:3:secret-other-guest");
  EXPECT_EQ(broker.fixture().open_jwe(mixed.body), "");
}

TEST(FaultInjector, GreetsConnections) {
  FaultyBroker broker({"connection:2:close", "connection:3:reset"});
  EXPECT_EQ(broker.faults().greet().how, Delivery::How::whole);
  const Greeting closed = broker.faults().greet();
  EXPECT_EQ(closed.how, Delivery::How::closed);
  EXPECT_EQ(closed.fault, "connection:2:close");
  EXPECT_EQ(broker.faults().greet().how, Delivery::How::reset);
  EXPECT_EQ(broker.faults().greet().how, Delivery::How::whole);
}

// Every kind of the list changes an answer that is there to be changed, or its delivery.
TEST(FaultInjector, EveryKindBreaksSomething) {
  for (const FaultName& row : fault_names()) {
    SCOPED_TRACE(row.name);
    const std::string kind = std::string(":1+:") + row.name + (row.argument == FaultArgument::needed ? ":7" : "");
    for (const FaultEndpoint at : {FaultEndpoint::auth, FaultEndpoint::attest, FaultEndpoint::resource}) {
      if ((row.endpoints >> static_cast<unsigned>(at) & 1U) == 0) continue;
      FaultyBroker broker({});
      const TestGuest other = broker.attested();  // so that there is something to repeat
      EXPECT_EQ(broker.resource(other).status, 200);
      TestGuest guest;
      const Response challenge = broker.auth(guest);
      broker.faults().set({.seed = 1, .faults = {*parse_fault(fault_endpoint_name(at) + kind)}});
      if (row.kind == FaultKind::replay || row.kind == FaultKind::nonce_repeated ||
          row.kind == FaultKind::secret_other_guest) {
        continue;  // need a past under the plan: the tests above
      }
      Response response;
      if (at == FaultEndpoint::auth) {
        response = broker.auth(guest);
      } else {
        response = broker.attest(guest);
        if (at == FaultEndpoint::resource) response = broker.resource(guest);
      }
      EXPECT_EQ(response.audit.fault, fault_endpoint_name(at) + kind);
    }
  }
}

}  // namespace
}  // namespace attestbed::kbs
