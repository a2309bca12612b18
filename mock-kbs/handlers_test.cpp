// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/handlers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mock-kbs/broker_fixture.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

std::string variant_of(const Response& response) {
  constexpr std::string_view kType = "https://github.com/confidential-containers/kbs/errors/";
  const std::string type = json::parse(response.body).at("type").get<std::string>();
  EXPECT_TRUE(type.starts_with(kType)) << type;
  return type.substr(std::min(kType.size(), type.size()));
}

Request request_of(std::string method, std::string target, std::string body = {}) {
  return {.method = std::move(method),
          .target = std::move(target),
          .body = std::move(body),
          .cookies = {},
          .authorization = {},
          .peer = "127.0.0.1:9"};
}

TEST(Broker, ReleasesTheSecretToAGuestThatDoesEverythingRight) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  EXPECT_EQ(guest.cookie.size(), std::string("kbs-session-id=").size() + 32);
  EXPECT_EQ(guest.nonce.size(), 44U);

  const Response attested = fixture.attest(guest);
  ASSERT_EQ(attested.status, 200) << audit_line(attested.audit);
  EXPECT_EQ(attested.content_type, "application/json");
  EXPECT_TRUE(attested.set_cookie.starts_with(guest.cookie + "; Expires="));

  const Response resource = fixture.get_resource(guest.cookie, "default/sample/test");
  ASSERT_EQ(resource.status, 200) << audit_line(resource.audit);
  EXPECT_EQ(resource.content_type, "application/json");
  EXPECT_EQ(resource.set_cookie, "");
  EXPECT_EQ(fixture.open_jwe(resource.body), BrokerFixture::kSecret);
  EXPECT_EQ(fixture.open_jwe(fixture.get_resource(guest.cookie, "default/sample/empty").body), "");
  EXPECT_EQ(resource.audit.attestation, attested.audit.attestation);
  EXPECT_EQ(resource.audit.entry, "test-guest");
  EXPECT_EQ(resource.audit.measurement.substr(0, 4), "a1a1");
}

TEST(Broker, GivesEveryGuestItsOwnSessionAndSeal) {
  BrokerFixture fixture;
  TestGuest first = fixture.open_session();
  TestGuest second = fixture.open_session();
  EXPECT_NE(first.cookie, second.cookie);
  EXPECT_NE(first.nonce, second.nonce);
  ASSERT_EQ(fixture.attest(second).status, 200);
  EXPECT_EQ(fixture.get_resource(first.cookie, "default/sample/test").status, 401);
  ASSERT_EQ(fixture.attest(first).status, 200);
  const std::string one = fixture.get_resource(first.cookie, "default/sample/test").body;
  const std::string two = fixture.get_resource(first.cookie, "default/sample/test").body;
  EXPECT_NE(json::parse(one).at("encrypted_key"), json::parse(two).at("encrypted_key"));
}

TEST(Broker, AcceptsWhatAnEntryAllowsByNameAndSaysSo) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  guest.report.measurement.fill(0xa4);
  guest.report.policy = guest.report.policy | snp::kPolicyDebug | snp::kPolicyMigrateMa;
  const Response attested = fixture.attest(guest);
  ASSERT_EQ(attested.status, 200) << audit_line(attested.audit);
  EXPECT_EQ(attested.audit.entry, "lax-guest");
  EXPECT_NE(audit_line(attested.audit).find("\"w1_exposed\":true"), std::string::npos);
  EXPECT_EQ(fixture.get_resource(guest.cookie, "default/sample/test").status, 200);
}

// Breakage changes one thing of an attestation that would pass. `unsigned_report` is changed before the VCEK signs, so
// the signature holds; `report` after it.
struct Breakage {
  const char* name;
  Errc code;
  const char* layer;
  void (*unsigned_report)(snp::RawReport&) = nullptr;
  void (*report)(snp::RawReport&) = nullptr;
  void (*body)(json&) = nullptr;
  void (*request)(Request&) = nullptr;
  void (*broker)(BrokerFixture&, TestGuest&) = nullptr;
};

const Breakage kBreakages[] = {
    {.name = "CookieMissing",
     .code = Errc::session_missing,
     .layer = "",
     .request = [](Request& r) { r.cookies = ""; }},
    {.name = "CookieOfAnotherName",
     .code = Errc::session_missing,
     .layer = "",
     .request = [](Request& r) { r.cookies = "other=" + r.cookies.substr(15); }},
    {.name = "CookieUnknown",
     .code = Errc::session_unknown,
     .layer = "",
     .request = [](Request& r) { r.cookies = "kbs-session-id=00000000000000000000000000000000"; }},
    {.name = "CookieTwice",
     .code = Errc::session_unknown,
     .layer = "",
     .request = [](Request& r) { r.cookies += "; " + r.cookies; }},
    {.name = "CookieShort",
     .code = Errc::session_unknown,
     .layer = "",
     .request = [](Request& r) { r.cookies.pop_back(); }},
    {.name = "SessionExpired",
     .code = Errc::session_unknown,
     .layer = "",
     .broker = [](BrokerFixture& f, TestGuest&) { f.advance(std::chrono::seconds(301)); }},
    {.name = "NonceOfAnotherSession",
     .code = Errc::nonce_mismatch,
     .layer = "",
     .broker = [](BrokerFixture& f, TestGuest& g) { g.nonce = f.open_session().nonce; }},
    {.name = "NonceUsedByAFailedAttempt",
     .code = Errc::nonce_used,
     .layer = "",
     .broker =
         [](BrokerFixture& f, TestGuest& g) {
           TestGuest wrong = g;
           wrong.report.vmpl = 1;
           EXPECT_EQ(f.attest(wrong).status, 401);
         }},
    {.name = "NonceUsedByASuccess",
     .code = Errc::nonce_used,
     .layer = "",
     .broker = [](BrokerFixture& f, TestGuest& g) { EXPECT_EQ(f.attest(g).status, 200); }},
    {.name = "BodyNotJson", .code = Errc::bad_json, .layer = "parse", .request = [](Request& r) { r.body = "<html>"; }},
    {.name = "ReportVersionUnknown",
     .code = Errc::report_version,
     .layer = "parse",
     .unsigned_report = [](snp::RawReport& r) { r.version = 9; }},
    {.name = "ReportReservedOctet",
     .code = Errc::report_reserved,
     .layer = "parse",
     .unsigned_report = [](snp::RawReport& r) { r.reserved2[151] = 1; }},
    {.name = "CertificateTableCut",
     .code = Errc::truncated,
     .layer = "parse",
     .body = [](json& b) { b["tee-evidence"]["primary_evidence"]["certs-buf"] = "AAAA"; }},
    {.name = "TcbOfAnotherVcek",
     .code = Errc::tcb_mismatch,
     .layer = "endorse",
     .unsigned_report =
         [](snp::RawReport& r) { r.reported_tcb[7] = static_cast<std::uint8_t>(r.reported_tcb[7] - 1); }},
    {.name = "ChipOfAnotherVcek",
     .code = Errc::chip_id_mismatch,
     .layer = "endorse",
     .unsigned_report = [](snp::RawReport& r) { r.chip_id[63] ^= 1; }},
    {.name = "ChainNotYetValid",
     .code = Errc::chain_not_yet_valid,
     .layer = "endorse",
     .broker = [](BrokerFixture& f, TestGuest&) { f.date().advance(std::chrono::hours(-24 * 366)); }},
    {.name = "ChainExpired",
     .code = Errc::chain_expired,
     .layer = "endorse",
     .broker = [](BrokerFixture& f, TestGuest&) { f.date().advance(std::chrono::hours(24 * 366 * 8)); }},
    {.name = "SignatureOctetFlipped",
     .code = Errc::signature_invalid,
     .layer = "signature",
     .report = [](snp::RawReport& r) { r.signature.r[3] ^= 0x40; }},
    {.name = "HostDataFlippedAfterSigning",
     .code = Errc::signature_invalid,
     .layer = "signature",
     .report = [](snp::RawReport& r) { r.host_data[0] ^= 1; }},
    {.name = "MeasurementFlippedAfterSigning",
     .code = Errc::signature_invalid,
     .layer = "signature",
     .report = [](snp::RawReport& r) { r.measurement[0] ^= 1; }},
    {.name = "MeasurementUnknown",
     .code = Errc::measurement_unknown,
     .layer = "binding",
     .unsigned_report = [](snp::RawReport& r) { r.measurement[47] ^= 1; }},
    {.name = "RootOfAnotherEntry",
     .code = Errc::root_untrusted,
     .layer = "binding",
     .unsigned_report = [](snp::RawReport& r) { r.measurement.fill(0xa3); }},
    {.name = "ReportDataFlipped",
     .code = Errc::report_data_mismatch,
     .layer = "binding",
     .unsigned_report = [](snp::RawReport& r) { r.report_data[63] ^= 1; }},
    {.name = "ReportDataOfTrusteesBinding",
     .code = Errc::report_data_mismatch,
     .layer = "binding",
     .unsigned_report = [](snp::RawReport& r) { std::fill(r.report_data.begin() + 48, r.report_data.end(), 0); }},
    {.name = "KeyOfAnotherGuest",
     .code = Errc::report_data_mismatch,
     .layer = "binding",
     .broker =
         [](BrokerFixture& f, TestGuest& g) {
           g.report.report_data = BrokerFixture::report_data_for(f.other_key().point(), g.nonce);
         }},
    {.name = "Vmpl1",
     .code = Errc::vmpl_too_high,
     .layer = "appraisal",
     .unsigned_report = [](snp::RawReport& r) { r.vmpl = 1; }},
    {.name = "DebugAllowed",
     .code = Errc::debug_enabled,
     .layer = "appraisal",
     .unsigned_report = [](snp::RawReport& r) { r.policy = r.policy | snp::kPolicyDebug; }},
    {.name = "MigrationAgent",
     .code = Errc::policy_mismatch,
     .layer = "appraisal",
     .unsigned_report = [](snp::RawReport& r) { r.policy = r.policy | snp::kPolicyMigrateMa; }},
};

class BrokerRefuses : public testing::TestWithParam<Breakage> {};

TEST_P(BrokerRefuses, OneBrokenRule) {
  const Breakage& broken = GetParam();
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  if (broken.broker != nullptr) broken.broker(fixture, guest);
  if (broken.unsigned_report != nullptr) broken.unsigned_report(guest.report);
  BrokerFixture::sign(guest.report);
  if (broken.report != nullptr) broken.report(guest.report);
  json body = fixture.attest_body(guest);
  if (broken.body != nullptr) broken.body(body);
  Request request = fixture.attest_request(guest, body.dump());
  if (broken.request != nullptr) broken.request(request);

  const Response response = handle(fixture.broker(), request);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(variant_of(response), "AttestationError");
  ASSERT_TRUE(response.audit.refusal);
  EXPECT_EQ(error_name(response.audit.refusal->code), std::string(error_name(broken.code)))
      << audit_line(response.audit);
  EXPECT_EQ(response.audit.layer, broken.layer);
  EXPECT_NE(response.audit.refusal->field, "");
  EXPECT_NE(response.audit.refusal->expected, "");
  EXPECT_NE(response.audit.refusal->found, "");
  // One body for all of them: the peer learns nothing about which check it was.
  EXPECT_EQ(response.body, encode_problem("AttestationError", "attestation failed: the broker's log says why"));
  EXPECT_EQ(response.set_cookie, "");
  // The session of a success lives on; every other one opens nothing.
  const int expected = std::string_view(broken.name) == "NonceUsedByASuccess" ? 200 : 401;
  EXPECT_EQ(fixture.get_resource(guest.cookie, "default/sample/test").status, expected);
}

INSTANTIATE_TEST_SUITE_P(Attest, BrokerRefuses, testing::ValuesIn(kBreakages),
                         [](const auto& one) { return std::string(one.param.name); });

struct ResourceCase {
  const char* name;
  const char* path;
  const char* variant;
  Errc code;
};
constexpr ResourceCase kResourceCases[] = {
    {"Unknown", "default/sample/nothing", "PluginInternalError", Errc::resource_unknown},
    {"OfAnotherGuest", "default/other/secret", "PluginInternalError", Errc::resource_unknown},
    {"TwoParts", "default/sample", "PluginInternalError", Errc::bad_value},
    {"FourParts", "default/sample/test/x", "PluginInternalError", Errc::bad_value},
    {"TrailingSlash", "default/sample/test/", "PluginInternalError", Errc::bad_value},
    {"EmptyPart", "default//test", "PluginInternalError", Errc::bad_value},
    {"DotDot", "default/../test", "PluginInternalError", Errc::bad_value},
    {"PercentSlash", "default%2Fsample/test", "PluginInternalError", Errc::bad_value},
    {"PercentLetter", "default/sample/%74est", "PluginInternalError", Errc::bad_value},
    {"Nothing", "", "PluginInternalError", Errc::bad_value},
};

class ResourceRefuses : public testing::TestWithParam<ResourceCase> {};

TEST_P(ResourceRefuses, AnAttestedGuest) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  ASSERT_EQ(fixture.attest(guest).status, 200);
  const Response response = fixture.get_resource(guest.cookie, GetParam().path);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(variant_of(response), GetParam().variant);
  EXPECT_EQ(error_name(response.audit.refusal->code), std::string(error_name(GetParam().code)));
}

INSTANTIATE_TEST_SUITE_P(Path, ResourceRefuses, testing::ValuesIn(kResourceCases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Resource, IsRefusedBeforeAttestAndWithoutAnything) {
  BrokerFixture fixture;
  const TestGuest guest = fixture.open_session();
  EXPECT_EQ(variant_of(fixture.get_resource(guest.cookie, "default/sample/test")), "TokenNotFound");
  const Response bare = fixture.get_resource("", "default/sample/test");
  EXPECT_EQ(variant_of(bare), "TokenNotFound");
  EXPECT_EQ(bare.audit.refusal->code, Errc::session_missing);
}

TEST(Resource, EndsWithTheSession) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  ASSERT_EQ(fixture.attest(guest).status, 200);
  fixture.advance(std::chrono::seconds(299));
  EXPECT_EQ(fixture.get_resource(guest.cookie, "default/sample/test").status, 200);
  fixture.advance(std::chrono::seconds(1));
  EXPECT_EQ(fixture.get_resource(guest.cookie, "default/sample/test").status, 401);
}

struct RouteCase {
  const char* method;
  const char* target;
  int status;
  const char* variant;
};
constexpr RouteCase kRoutes[] = {
    {"GET", "/healthz", 200, ""},
    {"GET", "/kbs/v0/auth", 404, "PluginNotFound"},
    {"GET", "/kbs/v0/attest", 404, "PluginNotFound"},
    {"POST", "/kbs/v0/nonsense", 404, "PluginNotFound"},
    {"GET", "/kbs/v0/", 404, "PluginNotFound"},
    {"GET", "/kbs/v0/%72esource/default/sample/test", 404, "PluginNotFound"},
    {"POST", "/kbs/v0/auth/", 404, "PluginNotFound"},
    {"GET", "/", 404, ""},
    {"GET", "/kbs/v1/auth", 404, ""},
    {"POST", "/healthz", 404, ""},
    {"POST", "/kbs/v0/resource/default/sample/test", 401, "AdminAuthInitialization"},
    {"DELETE", "/kbs/v0/resource/default/sample/test", 401, "AdminAuthInitialization"},
    {"PATCH", "/kbs/v0/auth", 405, ""},
    {"OPTIONS", "/kbs/v0/auth", 405, ""},
    {"HEAD", "/healthz", 405, ""},
    {"TRACE", "/", 405, ""},
};

TEST(Routes, AnswerAsTrusteeDoes) {
  BrokerFixture fixture;
  for (const RouteCase& route : kRoutes) {
    SCOPED_TRACE(std::string(route.method) + " " + route.target);
    const Response response = handle(fixture.broker(), request_of(route.method, route.target));
    EXPECT_EQ(response.status, route.status);
    if (*route.variant == '\0') {
      EXPECT_EQ(response.body, "");
    } else {
      EXPECT_EQ(variant_of(response), route.variant);
    }
    EXPECT_EQ(response.audit.refusal.has_value(), route.status != 200);
  }
}

TEST(Auth, SaysWhatIsWrongWithTheRequest) {
  BrokerFixture fixture;
  const Response response = handle(
      fixture.broker(), request_of("POST", "/kbs/v0/auth", R"({"version":"0.3.0","tee":"snp","extra-params":""})"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body, encode_problem("AttestationError", "version: expected 0.4.0, found 0.3.0"));
  EXPECT_EQ(response.set_cookie, "");
  EXPECT_EQ(response.audit.refusal->code, Errc::unsupported_version);
}

TEST(Audit, NeverHoldsCookieTokenSecretOrNonceOfALiveSession) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  const Response attested = fixture.attest(guest);
  const std::string token = json::parse(attested.body).at("token").get<std::string>();
  const Response resource = fixture.get_resource(guest.cookie, "default/sample/test");
  const Response bearer = fixture.get_resource("", "default/sample/test", "Bearer " + token + "x");
  const std::string lines = audit_line(attested.audit) + audit_line(resource.audit) + audit_line(bearer.audit);
  EXPECT_EQ(lines.find(guest.cookie.substr(15)), std::string::npos);
  EXPECT_EQ(lines.find(token.substr(0, 24)), std::string::npos);
  EXPECT_EQ(lines.find(BrokerFixture::kSecret), std::string::npos);
  EXPECT_EQ(lines.find(guest.nonce), std::string::npos);
  EXPECT_NE(lines.find(digest_prefix(guest.cookie.substr(15))), std::string::npos);
}

TEST(Audit, IsOneLineOfAsciiWhateverAPeerSends) {
  AuditRecord record;
  record.endpoint = "GET \n\x1b[31m\xff\"";
  record.status = 404;
  record.refusal = Refusal{Errc::bad_value, "path", "a", "b\r\n{}"};
  EXPECT_EQ(audit_line(record),
            R"({"endpoint":"GET \n\u001b[31m\ufffd\"","status":404,"verdict":"refused","code":"bad_value",)"
            R"("field":"path","expected":"a","found":"b\r\n{}"})");
}

}  // namespace
}  // namespace attestbed::kbs
