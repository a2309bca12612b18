// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mock-kbs/base64_text.h"
#include "mock-kbs/fault_fixture.h"
#include "sim/ca.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

constexpr std::string_view kToken = "0123456789abcdef-admin";

std::shared_ptr<const SecretOctets> token() {
  SecretOctets octets(kToken.size());
  std::ranges::copy(bytes_of(kToken), octets.expose_mut().begin());
  return std::make_shared<const SecretOctets>(std::move(octets));
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class AdminTest : public testing::Test {
 protected:
  Response send(const std::string& method, const std::string& target, const std::string& body = {},
                const std::string& authorization = "Bearer " + std::string(kToken)) {
    return admin_.handle({.method = method,
                          .target = target,
                          .body = body,
                          .cookies = {},
                          .authorization = authorization,
                          .peer = "owner"});
  }
  json state() { return json::parse(send("GET", "/admin/v0/state").body); }
  static std::string policy(const std::string& text) { return json::object({{"policy", base64url(text)}}).dump(); }
  // An entry for measurement a7 under the simulated machine's root.
  static json entry() {
    const auto authority = *sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    const std::string der = base64_text(Base64::standard, authority.ark());
    std::string lines;
    for (std::size_t at = 0; at < der.size(); at += 64) lines += der.substr(at, 64) + "\n";
    return {{"measurements", {repeated("a7", 48)}},
            {"roots", "-----BEGIN CERTIFICATE-----\n" + lines + "-----END CERTIFICATE-----\n"},
            {"resources", {{"default/sample/test", base64_text(Base64::standard, bytes_of("run time"))}}}};
  }
  void refused(const Response& response, int status, const std::string& variant, const std::string& reason) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.audit.status, status);
    ASSERT_TRUE(response.audit.refusal);
    const json body = json::parse(response.body);
    EXPECT_EQ(body["type"], "https://github.com/confidential-containers/kbs/errors/" + variant);
    EXPECT_NE(body["detail"].get<std::string>().find(reason), std::string::npos) << body["detail"];
  }

  FaultyBroker broker_{{}};
  Metrics metrics_;
  Admin admin_{{.broker = broker_.fixture().broker(),
                .faults = broker_.faults(),
                .metrics = metrics_,
                .configured_faults = {.seed = 7, .faults = {*parse_fault("auth:9:close")}},
                .token = token()}};
};

TEST_F(AdminTest, RefusesWhoeverHasNotTheToken) {
  const std::string cut(kToken.substr(1));
  for (const std::string& shown :
       {std::string(), std::string("Bearer"), "Bearer " + cut, "Bearer x" + cut, "Bearer " + std::string(kToken) + "x",
        "Basic " + std::string(kToken), std::string(kToken), "Bearer " + std::string(100'000, 'x')}) {
    refused(send("GET", "/admin/v0/state", {}, shown), 401, "AdminAuthAccess", "the admin token");
    refused(send("POST", "/kbs/v0/resource-policy", policy("allow_all"), shown), 401, "AdminAuthAccess", "token");
    refused(send("POST", "/kbs/v0/resource/a/b/c", "x", shown), 401, "AdminAuthInitialization", "token");
    refused(send("PUT", "/nothing", {}, shown), 401, "AdminAuthAccess", "token");
  }
  EXPECT_EQ(state()["resource_octets"], json::object());
  EXPECT_EQ(state()["policy"]["base"], "default");
  EXPECT_EQ(send("GET", "/healthz", {}, "").status, 200);
}

TEST_F(AdminTest, KnowsItsEndpointsAlone) {
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"GET", "/"},
                                                        {"GET", "/admin/v0/reset"},
                                                        {"POST", "/admin/v0/state"},
                                                        {"PATCH", "/admin/v0/faults"},
                                                        {"GET", "/kbs/v0/resource/a/b/c"},
                                                        {"PUT", "/kbs/v0/resource-policy"},
                                                        {"GET", "/admin/v0/entries/a"},
                                                        {"GET", "/admin/v0/state?x"},
                                                        {"POST", "/kbs/v0/auth"}}) {
    refused(send(method, target), 404, "PluginNotFound", "endpoint of the admin API");
  }
}

TEST_F(AdminTest, SetsAndRemovesASharedResource) {
  const Response put = send("POST", "/kbs/v0/resource/shared/key/one", std::string("a\0b", 3));
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.content_type, "text/xml");
  EXPECT_EQ(put.body, "");
  EXPECT_EQ(state()["resource_octets"], json({{"shared/key/one", 3}}));
  EXPECT_EQ(send("DELETE", "/kbs/v0/resource/shared/key/one").status, 200);
  EXPECT_EQ(state()["resource_octets"], json::object());
  refused(send("DELETE", "/kbs/v0/resource/shared/key/one"), 401, "PluginInternalError", "a shared resource");
  EXPECT_NE(metrics_.text().find("resource_writes_total{resource_path=\"shared/key/one\"} 2\n"), std::string::npos);
}

TEST_F(AdminTest, RefusesPathsThatAreNone) {
  for (const std::string& path :
       {std::string("../../etc/passwd"), std::string("a/../c"), std::string("a/b/.."), std::string("a/b/%2e%2e"),
        std::string("a%2fb/c/d"), std::string("a/b"), std::string("a/b/c/d"), std::string(""), std::string("a//c"),
        std::string("a/b/c?x=y"), std::string("a/b/\\c"), std::string("a/b/") + std::string(1000, 'c'),
        std::string("a/b/c\n")}) {
    SCOPED_TRACE(path);
    for (const char* method : {"POST", "DELETE"}) {
      refused(send(method, "/kbs/v0/resource/" + path, "x"), 401, "PluginInternalError",
              "resource: expected repository/type/tag of letters, digits, '_', '-', '.', together at most 192 octets, "
              "found ");
    }
  }
  refused(send("POST", "/kbs/v0/resource/a/b/%2e%2e", "x"), 401, "PluginInternalError", "found a/b/%2e%2e (10 octets)");
  refused(send("POST", "/kbs/v0/resource/a/b/c"), 401, "PluginInternalError", "the octets of the resource, found none");
  EXPECT_EQ(state()["resource_octets"], json::object());
  EXPECT_EQ(metrics_.text().find("resource_writes_total{"), std::string::npos);
}

TEST_F(AdminTest, SetsThePolicyByNameOrAsATable) {
  for (const char* name : {"affirming", "deny_all", "allow_all", "default"}) {
    EXPECT_EQ(send("POST", "/kbs/v0/resource-policy", policy(name)).status, 200);
    EXPECT_EQ(json::parse(send("GET", "/kbs/v0/resource-policy").body), json::array({name}));
  }
  const json table = {{"base", "deny_all"},
                      {"rules",
                       {{{"name", "demo"},
                         {"allow", true},
                         {"resource", "default/*/*"},
                         {"tee", "snp"},
                         {"status", "affirming"},
                         {"entry", "test-guest"}}}}};
  ASSERT_EQ(send("POST", "/kbs/v0/resource-policy", policy(table.dump())).status, 200);
  EXPECT_EQ(state()["policy"], table);
}

TEST_F(AdminTest, RefusesPoliciesWithAReason) {
  const struct {
    std::string body;
    const char* reason;
  } kBad[] = {
      {"", "body"},
      {"{}", "policy"},
      {R"({"policy":7})", "a string"},
      {R"({"policy":"?"})", "canonical"},
      {policy("package policy\ndefault allow = true"), "a table of rules"},
      {policy("allow_everything"), "allow_all, deny_all"},
      {policy(R"({"rules":[]})"), "base"},
      {policy(R"({"base":"open"})"), "allow_all, deny_all"},
      {policy(R"({"base":"default","rules":{}})"), "a list"},
      {policy(R"({"base":"default","rules":[{}]})"), "allow"},
      {policy(R"({"base":"default","rules":[{"allow":1}]})"), "true or false"},
      {policy(R"({"base":"default","rules":[{"allow":true,"who":"x"}]})"), "who"},
      {policy(R"({"base":"default","rules":[{"allow":true,"tee":"tdx"}]})"), "snp or sample"},
      {policy(R"({"base":"default","rules":[{"allow":true,"status":"fine"}]})"), "affirming"},
      {policy(R"({"base":"default","rules":[{"allow":true,"resource":"a/../b"}]})"), "policy.rule[0].resource"},
      {policy(R"({"base":"default","rules":[{"allow":true,"name":""}]})"), "policy.rule[0].name"},
  };
  for (const auto& [body, reason] : kBad) {
    SCOPED_TRACE(body);
    refused(send("POST", "/kbs/v0/resource-policy", body), 401, "ParsePolicyError", reason);
  }
  // A rule that would keep out nobody.
  refused(send("POST", "/kbs/v0/resource-policy",
               policy(R"({"base":"default","rules":[{"allow":false,"entry":"test-gest"}]})")),
          401, "PolicyEngineError", "policy.rule[0].entry: expected the name of an entry, found test-gest");
  EXPECT_EQ(state()["policy"]["base"], "default");
}

TEST_F(AdminTest, KeepsAnEntryThatARuleNames) {
  const std::string rule = R"({"base":"default","rules":[{"allow":false,"entry":"test-guest"}]})";
  ASSERT_EQ(send("POST", "/kbs/v0/resource-policy", policy(rule)).status, 200);
  EXPECT_EQ(state()["policy"]["rules"][0]["name"], "rule-1");
  refused(send("DELETE", "/admin/v0/entries/test-guest"), 400, "RvpsError", "policy.rule[0].entry");
  ASSERT_EQ(send("POST", "/kbs/v0/resource-policy", policy("default")).status, 200);
  EXPECT_EQ(send("DELETE", "/admin/v0/entries/test-guest").status, 200);
}

TEST_F(AdminTest, AddsAnEntryThatCountsAtOnce) {
  TestGuest guest;
  EXPECT_EQ(broker_.auth(guest).status, 200);
  EXPECT_EQ(broker_.attest(guest, 0xa7).status, 401);
  ASSERT_EQ(send("PUT", "/admin/v0/entries/new-guest", entry().dump()).status, 200);
  const TestGuest accepted = broker_.attested(0xa7);
  EXPECT_EQ(broker_.fixture().open_jwe(broker_.resource(accepted).body), "run time");
  EXPECT_EQ(send("DELETE", "/admin/v0/entries/new-guest").status, 200);
  EXPECT_EQ(broker_.resource(accepted).status, 401);
  refused(send("DELETE", "/admin/v0/entries/new-guest"), 400, "RvpsError", "the name of an entry");
}

TEST_F(AdminTest, RefusesEntriesWithAReason) {
  const auto with = [](const char* member, json value) {
    json changed = entry();
    changed[member] = std::move(value);
    return changed.dump();
  };
  json rootless = entry();
  rootless.erase("roots");
  const struct {
    std::string body;
    const char* reason;
  } kBad[] = {
      {"[]", "object"},
      {rootless.dump(), "roots"},
      {with("roots", "no PEM"), "found"},
      {with("measurements", "a5"), "a list of strings"},
      {with("measurements", {"a5"}), "96 hex digits"},
      {with("measurements", {std::string(96, 'g')}), "96 hex digits"},
      {with("measurements", {std::string(96, 'a'), 1}), "a list of strings"},
      {with("measurements", {repeated("a1", 48)}), "one entry for each measurement"},
      {with("binding", "sha1"), "svsm-sha512 or kbs-sha384"},
      {with("w1_exposed", 1), "true or false"},
      {with("resources", {{"../x", ""}}), "repository/type/tag"},
      {with("resources", {{"a/b/c", "?"}}), "canonical"},
      {with("secret", "x"), "secret"},
  };
  for (const auto& [body, reason] : kBad) {
    SCOPED_TRACE(body);
    refused(send("PUT", "/admin/v0/entries/new-guest", body), 400, "RvpsError", reason);
  }
  for (const std::string& name :
       {std::string(""), std::string("a/b"), std::string(".."), std::string("%41"), std::string(65, 'a')}) {
    refused(send("PUT", "/admin/v0/entries/" + name, entry().dump()), 400, "RvpsError", "letters, digits");
  }
  EXPECT_EQ(state()["entries"].size(), 6U);
}

TEST_F(AdminTest, SetsTheFaultPlan) {
  const json plan = {{"seed", 3}, {"faults", {"auth:1:500", "resource@guest=demo:1/10:delay:500"}}};
  ASSERT_EQ(send("PUT", "/admin/v0/faults", plan.dump()).status, 200);
  EXPECT_EQ(json::parse(send("GET", "/admin/v0/faults").body), plan);
  TestGuest guest;
  EXPECT_EQ(broker_.auth(guest).status, 500);
  const std::string many = json::object({{"faults", std::vector<std::string>(65, "auth:1:500")}}).dump();
  for (const std::string& bad : {std::string("{}"), std::string(R"({"faults":"auth:1:500"})"), many,
                                 std::string(R"({"faults":["auth:1:explode"]})"),
                                 std::string(R"({"faults":[],"seed":-1})"), std::string(R"({"faults":[],"x":1})")}) {
    EXPECT_EQ(send("PUT", "/admin/v0/faults", bad).status, 400) << bad;
  }
  EXPECT_EQ(json::parse(send("GET", "/admin/v0/faults").body), plan);
}

TEST_F(AdminTest, ResetReturnsToTheConfiguration) {
  TestGuest guest = broker_.attested();
  ASSERT_EQ(broker_.auth(guest).status, 200);
  const std::string token = json::parse(broker_.attest(guest).body).at("token").get<std::string>();
  ASSERT_EQ(broker_.resource(guest, "default/sample/test", token).status, 200);
  ASSERT_EQ(send("PUT", "/admin/v0/entries/new-guest", entry().dump()).status, 200);
  ASSERT_EQ(send("POST", "/kbs/v0/resource/a/b/c", "x").status, 200);
  ASSERT_EQ(send("POST", "/kbs/v0/resource-policy", policy("deny_all")).status, 200);
  ASSERT_EQ(send("POST", "/admin/v0/reset").status, 200);
  const json now = state();
  EXPECT_EQ(now["entries"].size(), 6U);
  EXPECT_EQ(now["resource_octets"], json::object());
  EXPECT_EQ(now["policy"]["base"], "default");
  EXPECT_EQ(now["sessions"], 0);
  EXPECT_EQ(now["faults"], (json{{"seed", 7}, {"faults", {"auth:9:close"}}}));
  EXPECT_EQ(broker_.resource(guest).status, 401);
  EXPECT_EQ(broker_.resource(guest, "default/sample/test", token).status, 401);
}

TEST_F(AdminTest, TheStateHoldsNoSecret) {
  ASSERT_EQ(send("POST", "/kbs/v0/resource/a/b/c", "hush, hush").status, 200);
  const Response dump = send("GET", "/admin/v0/state");
  for (const std::string& secret : {std::string("hush"), std::string(BrokerFixture::kSecret), std::string(kToken),
                                    base64url(std::string_view("hush, hush"))}) {
    EXPECT_EQ(dump.body.find(secret), std::string::npos);
    EXPECT_EQ(audit_line(dump.audit).find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace attestbed::kbs
