// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using How = Delivery::How;

// A good answer of /auth, as the broker gives it.
Response challenge() {
  Response response;
  response.status = 200;
  response.content_type = "application/json";
  response.body = R"({"nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","extra-params":""})";
  response.set_cookie = "kbs-session-id=0123456789abcdef0123456789abcdef; Expires=Wed, 01 Oct 2025 00:05:00 GMT";
  return response;
}
Response token() {
  Response response = challenge();
  response.body = R"({"token":"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"})";
  return response;
}

// What break_body makes of it, or a failure if it finds nothing to break.
Response broken(const std::string& text, Response response, std::uint64_t seed = 1) {
  const Checked<Fault> fault = parse_fault(text);
  EXPECT_TRUE(fault) << text;
  EXPECT_TRUE(break_body(*fault, fault->endpoint, FaultNoise(seed), response)) << text;
  return response;
}
bool parses(const std::string& body) {
  return json::accept(body);
}

TEST(FaultBody, AnswersStatuses) {
  for (const char* status : {"401", "404", "405", "413", "417", "429", "500", "502", "503", "504"}) {
    const Response response = broken("auth:1:" + std::string(status), challenge());
    EXPECT_EQ(std::to_string(response.status), status);
    EXPECT_TRUE(response.set_cookie.empty());
    EXPECT_TRUE(response.headers.empty());
  }
  const char* const kProblem = "https://github.com/confidential-containers/kbs/errors/";
  EXPECT_EQ(json::parse(broken("auth:1:401", challenge()).body)["type"], kProblem + std::string("AttestationError"));
  EXPECT_EQ(json::parse(broken("resource:1:401", challenge()).body)["type"], kProblem + std::string("TokenNotFound"));
  EXPECT_EQ(json::parse(broken("resource:1:404", challenge()).body)["type"], kProblem + std::string("PluginNotFound"));
  for (const char* variant : {"AttestationError", "TokenNotFound", "TokenVerifierError", "PolicyDeny",
                              "PluginInternalError", "JweError", "AdminAuthInitialization", "AdminAuthAccess",
                              "ParsePolicyError", "PolicyEngineError", "RvpsError", "PluginNotFound"}) {
    EXPECT_EQ(json::parse(broken("resource:1:401:" + std::string(variant), challenge()).body)["type"],
              kProblem + std::string(variant));
  }
}

TEST(FaultBody, SaysHowLongToWait) {
  using Header = std::pair<std::string, std::string>;
  EXPECT_EQ(broken("auth:1:503:7", challenge()).headers, std::vector<Header>{Header("Retry-After", "7")});
  EXPECT_EQ(broken("auth:1:429:3600", challenge()).headers, std::vector<Header>{Header("Retry-After", "3600")});
}

TEST(FaultBody, RedirectsElsewhere) {
  const Response host = broken("auth:1:redirect-host", challenge());
  EXPECT_EQ(host.status, 307);
  EXPECT_EQ(host.headers.at(0).first, "Location");
  EXPECT_TRUE(host.headers.at(0).second.starts_with("http://broker.invalid/"));
  const Response file = broken("auth:1:redirect-file", challenge());
  EXPECT_EQ(file.status, 307);
  EXPECT_TRUE(file.headers.at(0).second.starts_with("file:///"));
}

TEST(FaultBody, AnswersOtherBodies) {
  EXPECT_EQ(broken("auth:1:empty", challenge()).body, "");
  const Response page = broken("auth:1:html", challenge());
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html");
  EXPECT_TRUE(page.body.starts_with("<!DOCTYPE html>"));
  const Response garbage = broken("auth:1:garbage", challenge());
  EXPECT_FALSE(parses(garbage.body));
  EXPECT_EQ(garbage.body, broken("auth:1:garbage", challenge()).body);
  EXPECT_NE(garbage.body, broken("auth:1:garbage", challenge(), 2).body);
  const std::string whole = challenge().body;
  EXPECT_EQ(broken("auth:1:truncate", challenge()).body, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(broken("auth:1:truncate:5", challenge()).body, "{\"non");
  EXPECT_EQ(broken("auth:1:truncate:8388608", challenge()).body, whole);
  EXPECT_FALSE(parses(broken("auth:1:truncate", challenge()).body));
  const std::string trailing = broken("auth:1:trailing", challenge()).body;
  EXPECT_TRUE(trailing.starts_with(whole));
  EXPECT_FALSE(parses(trailing));
  const std::string large = broken("auth:1:oversize:100000", challenge()).body;
  EXPECT_TRUE(parses(large));
  EXPECT_GT(large.size(), 100'000U);
  EXPECT_EQ(json::parse(large)["nonce"], json::parse(whole)["nonce"]);
  EXPECT_GT(broken("auth:1:oversize", challenge()).body.size(), 4U * 1024 * 1024);
}

TEST(FaultBody, BreaksMembers) {
  EXPECT_EQ(broken("auth:1:member-missing", challenge()).body, R"({"extra-params":""})");
  EXPECT_FALSE(json::parse(broken("auth:1:member-missing:extra-params", challenge()).body).contains("extra-params"));
  EXPECT_TRUE(json::parse(broken("auth:1:member-null:nonce", challenge()).body)["nonce"].is_null());
  const std::string twice = broken("attest:1:member-duplicate:token", token()).body;
  EXPECT_EQ(twice,
            R"({"token":"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl","token":"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"})");
  json unknown = json::parse(broken("auth:1:member-unknown", challenge()).body);
  EXPECT_EQ(unknown.size(), 3U);
  EXPECT_EQ(unknown.erase("attestbed-unknown"), 1U);
  EXPECT_EQ(unknown, json::parse(challenge().body));
}

TEST(FaultBody, BreaksNonces) {
  const auto nonce = [](const std::string& fault) {
    return json::parse(broken(fault, challenge()).body)["nonce"].get<std::string>();
  };
  EXPECT_EQ(nonce("auth:1:nonce-empty"), "");
  EXPECT_EQ(nonce("auth:1:nonce-short").size(), 4U);
  EXPECT_TRUE(nonce("auth:1:nonce-short").ends_with("=="));
  EXPECT_EQ(nonce("auth:1:nonce-huge").size(), 1'398'104U);  // ceil(2^20 / 3) * 4
  EXPECT_EQ(nonce("auth:1:nonce-url").size(), 44U);
  EXPECT_TRUE(nonce("auth:1:nonce-url").starts_with("--__"));  // RFC 4648 section 5: 62 and 63
  EXPECT_EQ(nonce("auth:1:nonce-unpadded"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
}

TEST(FaultBody, BreaksCookies) {
  const std::string whole = challenge().set_cookie;
  EXPECT_EQ(broken("auth:1:cookie-missing", challenge()).set_cookie, "");
  const std::string changed = broken("auth:1:cookie-changed", challenge()).set_cookie;
  EXPECT_NE(changed, whole);
  EXPECT_EQ(changed.substr(16), whole.substr(16));
  EXPECT_EQ(broken("auth:1:cookie-expired", challenge()).set_cookie,
            "kbs-session-id=0123456789abcdef0123456789abcdef; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(broken("auth:1:cookie-path", challenge()).set_cookie, whole + "; Path=/elsewhere");
  EXPECT_EQ(broken("auth:1:cookie-domain", challenge()).set_cookie, whole + "; Domain=broker.invalid");
}

TEST(FaultBody, BreaksTokens) {
  const auto made = [](const std::string& fault) {
    return json::parse(broken(fault, token()).body)["token"].get<std::string>();
  };
  EXPECT_EQ(made("attest:1:token-text").find('.'), std::string::npos);
  EXPECT_EQ(made("attest:1:token-huge").size(), 200U * 1024);
  EXPECT_EQ(made("attest:1:token-alg-none"), "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.");
}

TEST(FaultBody, RefusesAsABrokerOfAnotherVersion) {
  const Response response = broken("auth:1:version:0.1.1", challenge());
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(json::parse(response.body)["detail"].get<std::string>().find("expected 0.1.1, found 0.4.0"),
            std::string::npos);
}

TEST(FaultBody, LeavesAloneWhatItCannotBreak) {
  Response refused = challenge();
  refused.body.clear();
  refused.set_cookie.clear();
  for (const char* text :
       {"auth:1:truncate", "auth:1:member-missing", "auth:1:member-null:nothing", "auth:1:nonce-empty",
        "auth:1:cookie-changed", "attest:1:token-text", "attest:1:token-alg-none", "auth:1:oversize"}) {
    Response response = refused;
    const Fault fault = *parse_fault(text);
    EXPECT_FALSE(break_body(fault, fault.endpoint, FaultNoise(1), response)) << text;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.set_cookie, "");
  }
}

struct Sent {
  const char* fault;
  How how;
  unsigned milliseconds;
  std::vector<std::string> parts;
  WireScript::End end;
};

TEST(Delivery, WritesEveryFaultOfTheConnection) {
  Response small;
  small.status = 200;
  small.body = "abcdefg";
  small.content_type = "text/plain";
  small.set_cookie = "a=b";
  small.headers = {{"X", "y"}};
  const std::string head = "HTTP/1.1 200 \r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nX: y\r\n";
  using End = WireScript::End;
  const Sent kSent[] = {
      {"auth:1:delay:20", How::delayed, 20, {head + "Content-Length: 7\r\n\r\nabcdefg"}, End::keep},
      {"auth:1:stall:20", How::stalled, 20, {head + "Content-Length: 7\r\n\r\nabc", "defg"}, End::keep},
      {"auth:1:trickle:20", How::trickled, 20, {head + "Content-Length: 7\r\n\r\nabcdefg"}, End::keep},
      {"auth:1:close", How::closed, 0, {}, End::vanish},
      {"auth:1:reset", How::reset, 0, {head + "Content-Length: 7\r\n\r\nabc"}, End::reset},
      {"auth:1:short-body", How::short_body, 0, {head + "Content-Length: 7\r\n\r\nabc"}, End::close},
      {"auth:1:long-body", How::long_body, 0, {head + "Content-Length: 3\r\n\r\nabcdefg"}, End::keep},
      {"auth:1:chunked",
       How::chunked,
       0,
       {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"},
       End::keep},
      {"auth:1:refuse:20",
       How::refusing,
       20,
       {head + "Content-Length: 7\r\nConnection: close\r\n\r\nabcdefg"},
       End::close},
  };
  for (const Sent& sent : kSent) {
    SCOPED_TRACE(sent.fault);
    const Response response = broken(sent.fault, small);
    EXPECT_EQ(response.delivery.how, sent.how);
    EXPECT_EQ(response.delivery.time.count(), sent.milliseconds);
    const WireScript script = wire_script(response);
    EXPECT_EQ(script.end, sent.end);
    EXPECT_EQ(script.refuse.count(), sent.how == How::refusing ? 20 : 0);
    std::vector<std::string> parts;
    std::chrono::milliseconds before{0}, each{0};
    for (const WireScript::Part& part : script.parts) {
      parts.push_back(part.octets);
      before += part.before;
      each += part.each;
    }
    EXPECT_EQ(parts, sent.parts);
    EXPECT_EQ(before.count(), sent.how == How::delayed || sent.how == How::stalled ? 20 : 0);
    EXPECT_EQ(each.count(), sent.how == How::trickled ? 20 : 0);
  }
}

}  // namespace
}  // namespace attestbed::kbs
