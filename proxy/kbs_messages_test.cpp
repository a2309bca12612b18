// SPDX-License-Identifier: Apache-2.0
#include "proxy/kbs_messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/protocol/frame.h"
#include "proxy/vector_cases.h"

namespace attestbed::proxy::kbs {
namespace {

using Json = nlohmann::json;
using protocol::KeyType;

template <class Octets>
std::string as_text(const Octets& octets) {
  return {octets.begin(), octets.end()};
}

struct DecodedRequest {
  explicit DecodedRequest(const std::string& json)
      : memory(json.begin(), json.end()),
        request(protocol::decode_attestation_request(memory, protocol::KeyType::p521)) {}
  std::vector<std::uint8_t> memory;
  Result<protocol::AttestationRequest> request;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the vector does not hold " + from);
  return text.replace(at, from.size(), to);
}

class RecordedMessages : public testing::TestWithParam<VectorCase> {};
INSTANTIATE_TEST_SUITE_P(KbsMessages, RecordedMessages, testing::ValuesIn(vector_cases()), [](const auto& one) {
  std::string name = one.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(RecordedMessages, AuthRequestIsTheRecordedBody) {
  EXPECT_EQ(auth_request(protocol::Tee::snp), GetParam().auth_request);
}

TEST_P(RecordedMessages, ChallengeKeepsTheBrokersStringAndItsOctets) {
  const auto nonce = parse_challenge(GetParam().auth_response);
  ASSERT_TRUE(nonce);
  EXPECT_EQ(as_text(nonce->challenge.octets()), GetParam().challenge);
  EXPECT_NE(GetParam().auth_response.find("\"" + nonce->text + "\""), std::string::npos);
}

TEST_P(RecordedMessages, AttestRequestIsTheRecordedBody) {
  const auto nonce = parse_challenge(GetParam().auth_response);
  const DecodedRequest decoded(GetParam().attestation_request);
  ASSERT_TRUE(nonce && decoded.request);
  const auto body = attest_request(nonce->text, *decoded.request, protocol::Binding::svsm_sha512);
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, GetParam().attest_request);
}

TEST_P(RecordedMessages, TokenIsTheRecordedOne) {
  const auto token = parse_token(GetParam().attest_response);
  ASSERT_TRUE(token);
  EXPECT_EQ(*token, GetParam().token);
}

TEST_P(RecordedMessages, JweGivesTheRecordedPartsAndTheHeaderVerbatim) {
  const auto sealed = parse_jwe(GetParam().resource_response, KeyType::p521);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->protected_header, GetParam().protected_header);
  EXPECT_EQ(as_text(sealed->epk->x()), GetParam().epk_x);
  EXPECT_EQ(as_text(sealed->epk->y()), GetParam().epk_y);
  EXPECT_EQ(as_text(sealed->wrapped_cek.octets()), GetParam().wrapped_cek);
  EXPECT_EQ(as_text(sealed->iv), GetParam().iv);
  EXPECT_EQ(as_text(sealed->tag), GetParam().tag);
  EXPECT_EQ(as_text(sealed->ciphertext), GetParam().ciphertext);
}

TEST(KbsMessages, GuestsCertificatesTravelAsStandardBase64) {
  const auto& plain = vector_case("plain");
  const DecodedRequest decoded(plain.attestation_request);
  ASSERT_TRUE(decoded.request);
  protocol::AttestationRequest request = *decoded.request;
  const std::uint8_t certs[] = {0xfb, 0xff, 0x00};
  request.certs = certs;
  const auto nonce = parse_challenge(plain.auth_response);
  ASSERT_TRUE(nonce);
  EXPECT_EQ(*attest_request(nonce->text, request, protocol::Binding::svsm_sha512),
            replaced(plain.attest_request, "\"certs-buf\":null", "\"certs-buf\":\"+/8A\""));
}

// Under Trustee's binding the same guest's evidence is the structure, and nothing else of the body differs.
TEST(KbsMessages, TheBindingDecidesTheFormOfTheEvidence) {
  const auto& plain = vector_case("plain");
  const DecodedRequest decoded(plain.attestation_request);
  const auto nonce = parse_challenge(plain.auth_response);
  ASSERT_TRUE(nonce && decoded.request);
  const auto body = attest_request(nonce->text, *decoded.request, protocol::Binding::kbs_sha384);
  ASSERT_TRUE(body);
  Json sent = Json::parse(*body);
  const Json primary = sent["tee-evidence"]["primary_evidence"];
  // The very text that the guest hashed, once its members are in order (RFC 8785; nlohmann's are).
  Json runtime = sent["runtime-data"];
  runtime["additional-evidence"] = "";
  EXPECT_EQ(runtime.dump(), plain.trustee_text);
  EXPECT_EQ(as_text(primary["attestation_report"]["report_data"].get<std::vector<std::uint8_t>>()), plain.report_data);
  Json recorded = Json::parse(plain.attest_request);
  sent["tee-evidence"]["primary_evidence"] = recorded["tee-evidence"]["primary_evidence"] = nullptr;
  EXPECT_EQ(sent, recorded);
}

TEST(KbsMessages, KeysOfTheOtherTypesAreTheJwkThatTrusteeReads) {
  const auto& plain = vector_case("plain");
  const DecodedRequest decoded(plain.attestation_request);
  ASSERT_TRUE(decoded.request);
  protocol::AttestationRequest request = *decoded.request;
  const auto key_sent = [&] {
    const auto body = attest_request("AAAA", request, protocol::Binding::kbs_sha384);
    return body ? Json::parse(*body)["runtime-data"]["tee-pubkey"].dump() : std::string(error_name(body.error().code));
  };
  const std::vector<std::uint8_t> x(32, 0xff), y(32, 0x00), n(384, 0xff);
  request.key = protocol::GuestPublicKey::of(*crypto::EcPoint::make(crypto::Curve::p256, x, y, "key"));
  EXPECT_EQ(key_sent(), R"({"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":")" + std::string(42, '_') +
                            R"(8","y":")" + std::string(43, 'A') + R"("})");
  request.key = protocol::GuestPublicKey::of(*crypto::RsaPublicKey::make(n, crypto::kRsaExponent, "key"));
  EXPECT_EQ(key_sent(), R"({"alg":"RSA-OAEP-256","e":"AQAB","kty":"RSA","n":")" + std::string(512, '_') + R"("})");
}

TEST(KbsMessages, ReportThatTheStructureCannotHoldIsRefused) {
  const auto& plain = vector_case("plain");
  const DecodedRequest decoded(plain.attestation_request);
  ASSERT_TRUE(decoded.request);
  protocol::AttestationRequest request = *decoded.request;
  std::vector<std::uint8_t> report(request.report.begin(), request.report.end());
  report[0] = 4;
  request.report = report;
  EXPECT_EQ(attest_request("AAAA", request, protocol::Binding::kbs_sha384).error().code, Errc::report_version);
  EXPECT_TRUE(attest_request("AAAA", request, protocol::Binding::svsm_sha512));
}

struct Refusal {
  const char* name;
  std::string body;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.name;
}

std::string nonce_body(const std::string& nonce) {
  return R"({"nonce":")" + nonce + R"(","extra-params":""})";
}

class BadChallenge : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(
    KbsMessages, BadChallenge,
    testing::Values(
        Refusal{"fifteen octets", nonce_body("AAAAAAAAAAAAAAAAAAAA"), Errc::broker_nonce},
        Refusal{"sixty-five octets", nonce_body(std::string(87, 'A') + "="), Errc::broker_nonce},
        Refusal{"a megabyte", nonce_body(std::string(1 << 20, 'A')), Errc::broker_nonce},
        Refusal{"empty", nonce_body(""), Errc::broker_nonce},
        Refusal{"no padding", nonce_body("TageHNDeCX1Q72FbMXVC8A"), Errc::broker_nonce},
        Refusal{"URL alphabet", nonce_body("TageHNDeCX1Q72FbMXVC-_-_"), Errc::broker_nonce},
        Refusal{"trailing bits set", nonce_body("TageHNDeCX1Q72FbMXVC8B=="), Errc::broker_nonce},
        Refusal{"white space", nonce_body("TageHNDe CX1Q72FbMXVC8A=="), Errc::broker_nonce},
        Refusal{"absent", R"({"extra-params":""})", Errc::json_missing},
        Refusal{"null", R"({"nonce":null})", Errc::json_type}, Refusal{"number", R"({"nonce":16})", Errc::json_type},
        Refusal{"twice", R"({"nonce":"TageHNDeCX1Q72FbMXVC8A==","nonce":"TageHNDeCX1Q72FbMXVC8A=="})",
                Errc::json_duplicate},
        Refusal{"array", R"(["TageHNDeCX1Q72FbMXVC8A=="])", Errc::json_type},
        Refusal{"trailing garbage", nonce_body("TageHNDeCX1Q72FbMXVC8A==") + "x", Errc::trailing_bytes},
        Refusal{"truncated", R"({"nonce":"TageHNDeCX1Q72FbMXVC8A==")", Errc::bad_json},
        Refusal{"HTML", "<html><body>Sign in</body></html>", Errc::bad_json}, Refusal{"nothing", "", Errc::bad_json},
        Refusal{"not UTF-8", "{\"nonce\":\"\xff\xfe\"}", Errc::bad_json},
        Refusal{"nested deep", R"({"nonce":"TageHNDeCX1Q72FbMXVC8A==","x":[[[[[[[[[[1]]]]]]]]]]})", Errc::json_depth}));

TEST_P(BadChallenge, IsRefused) {
  const auto nonce = parse_challenge(GetParam().body);
  ASSERT_FALSE(nonce);
  EXPECT_EQ(nonce.error().code, GetParam().code) << error_name(nonce.error().code);
}

TEST(KbsMessages, ChallengeBoundsAreInclusive) {
  EXPECT_TRUE(parse_challenge(nonce_body(std::string(21, 'A') + "A==")));
  EXPECT_TRUE(parse_challenge(nonce_body(std::string(85, 'A') + "A==")));
}

class BadToken : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(KbsMessages, BadToken,
                         testing::Values(Refusal{"empty", R"({"token":""})", Errc::bad_length},
                                         Refusal{"absent", R"({})", Errc::json_missing},
                                         Refusal{"object", R"({"token":{}})", Errc::json_type},
                                         Refusal{"header injection", R"({"token":"a\r\nX-Evil: 1"})", Errc::bad_value},
                                         Refusal{"space", R"({"token":"a b"})", Errc::bad_value},
                                         Refusal{"NUL", R"({"token":"a\u0000b"})", Errc::bad_value},
                                         Refusal{"above 48 KiB",
                                                 R"({"token":")" + std::string(kMaxTokenBytes + 1, 'a') + R"("})",
                                                 Errc::bad_length}));

TEST_P(BadToken, IsRefused) {
  const auto token = parse_token(GetParam().body);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, GetParam().code) << error_name(token.error().code);
}

TEST(KbsMessages, ProblemKindIsANameOfTheProtocolAndNothingElse) {
  const std::string prefix = R"({"type":"https://github.com/confidential-containers/kbs/errors/)";
  EXPECT_EQ(problem_kind(prefix + R"(PolicyDeny","detail":"x"})"), "PolicyDeny");
  EXPECT_EQ(problem_kind(prefix + R"(","detail":"x"})"), "");
  EXPECT_EQ(problem_kind(prefix + R"(Policy Deny","detail":"x"})"), "");
  EXPECT_EQ(problem_kind(prefix + R"(FooTokenNotFound"})"), "");
  EXPECT_EQ(problem_kind(prefix + R"(policydeny"})"), "");
  EXPECT_EQ(problem_kind(R"({"type":"TokenNotFound"})"), "TokenNotFound");
  EXPECT_EQ(problem_kind(R"({"type":7})"), "");
  EXPECT_EQ(problem_kind("<html>"), "");
  EXPECT_EQ(problem_kind(""), "");
}

TEST(KbsMessages, ProblemsOfAKbsAreToldFromThoseOfAGateway) {
  EXPECT_TRUE(is_problem(R"({"type":"https://github.com/confidential-containers/kbs/errors/AttestationError"})"));
  EXPECT_TRUE(is_problem(R"({"type":"https://github.com/confidential-containers/kbs/errors/ProtocolVersion"})"));
  EXPECT_TRUE(is_problem(R"({"type":"TokenNotFound"})"));
  for (const char* body : {"", "Forbidden", "{}", R"({"message":"Unauthorized"})", R"({"type":"about:blank"})",
                           R"({"type":"https://example.net/errors/Forbidden"})", R"({"type":7})",
                           R"({"detail":"https://github.com/confidential-containers/kbs/errors/AttestationError"})"}) {
    EXPECT_FALSE(is_problem(body)) << body;
  }
}

TEST(KbsMessages, OtherVersionIsThreeNumbersOfTheBrokersWords) {
  const auto said = [](const std::string& words) { return other_version(R"({"detail":")" + words + R"("})"); };
  // Trustee's words, and mock-kbs's.
  EXPECT_EQ(said("KBS Client Protocol Version Mismatch: expect =0.2.0 while the request is 0.4.0"), "0.2.0");
  EXPECT_EQ(said("version: expected 0.5.0, found 0.4.0"), "0.5.0");
  EXPECT_EQ(said("KBS 0.21.0: expected version 0.5.0"), "0.5.0");
  EXPECT_EQ(said("KBS version 0.21.0: expected version 0.5.0"), "0.5.0");
  EXPECT_EQ(said("Version 0.4.0 is not supported; Supported: v0.1.1 and 0.2.0"), "0.1.1");
  EXPECT_EQ(said("version 12.345.6"), "12.345.6");
  for (const char* words : {"", "0.4.0", "unsupported TEE", "version 0.4.0", "KBS 0.21.0: no such TEE", "12.345.6"}) {
    EXPECT_EQ(said(words), "") << words;
  }
  for (const char* number : {"0.4", "0.2.0.0", "127.0.0.1:8080", "1..2", ".1.2", "1.2.", "1.2.3456", "1,2,3"}) {
    EXPECT_EQ(said("expected " + std::string(number)), "") << number;
  }
  EXPECT_EQ(other_version(R"({"detail":7})"), "");
  EXPECT_EQ(other_version("0.2.0"), "");
  EXPECT_EQ(other_version(""), "");
}

TEST(Escaped, IsPrintableAsciiWhateverItWas) {
  EXPECT_EQ(escaped("plain <b>text</b> \"quoted\""), "plain <b>text</b> \"quoted\"");
  EXPECT_EQ(escaped(std::string("a\\b\n\r\t\0\x1b[2J\x7f\xc3\xa9", 14)), R"(a\\b\n\r\t\x00\x1b[2J\x7f\xc3\xa9)");
}

// What a guest is told of these must not read as if two values had been compared.
TEST(Brief, SaysOfANumberWhatItIs) {
  EXPECT_EQ(brief({Errc::bad_length, "evidence.Snp.report", 3, 1184}),
            "bad_length at evidence.Snp.report, expected 1184, found 3");
  EXPECT_EQ(brief({Errc::json_type, "NegotiationRequest.version", 57, 0}),
            "json_type at NegotiationRequest.version, octet 57");
  EXPECT_EQ(brief({Errc::json_duplicate, "JSON member", 30, 0}), "json_duplicate at JSON member, octet 30");
  EXPECT_EQ(brief({Errc::bad_value, "ext.resource", 7, 0}), "bad_value at ext.resource");
  EXPECT_EQ(brief({Errc::jwe_header, "protected.alg", 14, 14}), "jwe_header at protected.alg");
  EXPECT_EQ(brief({Errc::too_large, "ext.resource", 300, 192}), "too_large at ext.resource, at most 192, found 300");
}

}  // namespace
}  // namespace attestbed::proxy::kbs
