// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_fixture.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace attestbed::kbs {

FaultyBroker::FaultyBroker(const std::vector<std::string>& plan, std::uint64_t seed) {
  FaultPlan made{.seed = seed, .faults = {}};
  for (const std::string& text : plan) {
    const Checked<Fault> fault = parse_fault(text);
    EXPECT_TRUE(fault) << text << ": " << fault.error().text();
    if (fault) made.faults.push_back(*fault);
  }
  faults_.set(std::move(made));
}

Response FaultyBroker::auth(TestGuest& guest) {
  Response response = send({.method = "POST",
                            .target = "/kbs/v0/auth",
                            .body = R"({"version":"0.4.0","tee":"snp","extra-params":""})",
                            .cookies = {},
                            .authorization = {},
                            .peer = "test"});
  guest = fixture_.open_session();  // for a report in good form; cookie and nonce are those of this session
  guest.cookie = response.set_cookie.substr(0, response.set_cookie.find(';'));
  const nlohmann::json challenge = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (challenge.is_object() && challenge.contains("nonce") && challenge["nonce"].is_string()) {
    guest.nonce = challenge["nonce"].get<std::string>();
    guest.report.report_data = BrokerFixture::report_data_for(fixture_.guest_key().point(), guest.nonce);
  }
  return response;
}

Response FaultyBroker::attest(TestGuest& guest, std::uint8_t measurement) {
  guest.report.measurement.fill(measurement);
  BrokerFixture::sign(guest.report);
  return send(fixture_.attest_request(guest, fixture_.attest_body(guest).dump()));
}

Response FaultyBroker::resource(const TestGuest& guest, const std::string& path, const std::string& bearer) {
  return send({.method = "GET",
               .target = "/kbs/v0/resource/" + path,
               .body = {},
               .cookies = guest.cookie,
               .authorization = bearer.empty() ? "" : "Bearer " + bearer,
               .peer = "test"});
}

TestGuest FaultyBroker::attested(std::uint8_t measurement) {
  TestGuest guest;
  EXPECT_EQ(auth(guest).status, 200);
  EXPECT_EQ(attest(guest, measurement).status, 200);
  return guest;
}

}  // namespace attestbed::kbs
