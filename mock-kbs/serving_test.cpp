// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/serving.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include "mock-kbs/broker_fixture.h"

namespace attestbed::kbs {
namespace {

constexpr std::string_view kToken = "0123456789abcdef";

class ServingTest : public testing::Test {
 protected:
  ServingTest() {
    SecretOctets token(kToken.size());
    std::ranges::copy(bytes_of(kToken), token.expose_mut().begin());
    Config config;
    config.listen.port = 0;
    config.service.faults.faults = {*parse_fault("auth:2:503:9")};
    config.service.admin = AdminConfig{.listen = {.host = "127.0.0.1", .port = 0, .loopback = true},
                                       .token = std::make_shared<const SecretOctets>(std::move(token))};
    auto started = Serving::start(fixture_.broker(), config);
    EXPECT_TRUE(started) << started.error().text();
    serving_ = *std::move(started);
  }
  httplib::Result auth() {
    httplib::Client guest("127.0.0.1", serving_->port());
    return guest.Post("/kbs/v0/auth", R"({"version":"0.4.0","tee":"snp","extra-params":""})", "application/json");
  }
  httplib::Client owner() {
    httplib::Client client("127.0.0.1", serving_->admin_port());
    client.set_bearer_token_auth(std::string(kToken).c_str());
    return client;
  }
  BrokerFixture fixture_;
  std::unique_ptr<Serving> serving_;
};

TEST_F(ServingTest, SaysWhereItListens) {
  EXPECT_EQ(serving_->announcement(), "ready http://127.0.0.1:" + std::to_string(serving_->port()) +
                                          "\nadmin http://127.0.0.1:" + std::to_string(serving_->admin_port()) + "\n");
}

TEST_F(ServingTest, ServesGuestsUnderThePlanAndItsOwnerBesideThem) {
  EXPECT_EQ(auth()->status, 200);
  const httplib::Result busy = auth();
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(busy->get_header_value("Retry-After"), "9");
  EXPECT_EQ(owner().Put("/admin/v0/faults", R"({"faults":["auth:1+:500"]})", "application/json")->status, 200);
  EXPECT_EQ(auth()->status, 500);
  EXPECT_EQ(owner().Post("/admin/v0/reset")->status, 200);
  EXPECT_EQ(auth()->status, 200);
  const std::string metrics = httplib::Client("127.0.0.1", serving_->port()).Get("/metrics")->body;
  EXPECT_NE(metrics.find("\nauth_requests_total 4\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nattestbed_faults_total 2\n"), std::string::npos);
}

TEST_F(ServingTest, KeepsTheTwoListenersApart) {
  // The owner's endpoints are not there for guests, whatever token they show; nor guests' endpoints for the owner.
  httplib::Client guest("127.0.0.1", serving_->port());
  guest.set_bearer_token_auth(std::string(kToken).c_str());
  EXPECT_EQ(guest.Get("/admin/v0/state")->status, 404);
  EXPECT_EQ(guest.Post("/kbs/v0/resource/a/b/c", "x", "text/plain")->status, 401);
  EXPECT_EQ(owner().Post("/kbs/v0/auth", "{}", "application/json")->status, 404);
  EXPECT_EQ(owner().Get("/admin/v0/state")->status, 200);
}

TEST_F(ServingTest, BoundsWhatTheOwnerSends) {
  EXPECT_EQ(owner().Post("/kbs/v0/resource/a/b/c", std::string(kMaxBodyBytes, 'x'), "text/plain")->status, 200);
  const auto large = owner().Post("/kbs/v0/resource/a/b/c", std::string(kMaxBodyBytes + 1, 'x'), "text/plain");
  EXPECT_EQ(large->status, 413);
  EXPECT_NE(large->body.find("body: expected at most 2097152 octets, found 2097153"), std::string::npos) << large->body;
  const auto far = owner().Get("/kbs/v0/resource/" + std::string(9000, 'a'));
  EXPECT_EQ(far->status, 414);
  EXPECT_NE(far->body.find("its target at most 1024 octets"), std::string::npos) << far->body;
  // A guest is told what Trustee would tell it: nothing.
  httplib::Client guest("127.0.0.1", serving_->port());
  EXPECT_EQ(guest.Post("/kbs/v0/auth", std::string(kMaxBodyBytes + 1, ' '), "application/json")->body, "");
  EXPECT_EQ(owner().Get("/kbs/v0/resource/../../etc/passwd")->status, 404);
}

}  // namespace
}  // namespace attestbed::kbs
