// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/messages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

json vectors() {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json");
  return json::parse(file);
}

std::string good_attest() {
  return vectors().at("cases").at(0).at("kbs_http").at("attest_request").get<std::string>();
}

TEST(Messages, ReadEveryRequestOfTheVectorsAndWriteTheAnswers) {
  const json all = vectors();
  for (const json& vector : all.at("cases")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const json& http = vector.at("kbs_http");
    EXPECT_TRUE(decode_auth_request(http.at("auth_request").get<std::string>()));
    const Checked<AttestRequest> request = decode_attest_request(http.at("attest_request").get<std::string>());
    ASSERT_TRUE(request) << request.error().text();
    EXPECT_EQ(posix::to_hex(request->evidence.report), vector.at("report").get<std::string>());
    EXPECT_EQ(posix::to_hex(request->key.ec.x()), vector.at("guest_key").at("x").get<std::string>());
    EXPECT_EQ(posix::to_hex(request->key.ec.y()), vector.at("guest_key").at("y").get<std::string>());
    EXPECT_TRUE(request->evidence.certs.empty());
    EXPECT_EQ(encode_challenge(request->nonce), http.at("auth_response").get<std::string>());
    EXPECT_EQ(encode_token(vector.at("token").get<std::string>()), http.at("attest_response").get<std::string>());
  }
}

struct BadAuth {
  const char* body;
  Errc code;
  const char* field;
};
constexpr BadAuth kBadAuths[] = {
    {"", Errc::bad_json, "body"},
    {"{", Errc::bad_json, "body"},
    {"{} x", Errc::bad_json, "body"},
    {"{\"a\":\"\xff\"}", Errc::bad_json, "body"},
    {"[]", Errc::json_type, ""},
    {"null", Errc::json_type, ""},
    {R"({"tee":"snp","extra-params":""})", Errc::json_missing, "version"},
    {R"({"version":"0.4.0","extra-params":""})", Errc::json_missing, "tee"},
    {R"({"version":"0.4.0","tee":"snp"})", Errc::json_missing, "extra-params"},
    {R"({"version":4,"tee":"snp","extra-params":""})", Errc::json_type, "version"},
    {R"({"version":"0.4.1","tee":"snp","extra-params":""})", Errc::unsupported_version, "version"},
    {R"({"version":"0.4.0 ","tee":"snp","extra-params":""})", Errc::unsupported_version, "version"},
    {R"({"version":"0.4.0","tee":"SNP","extra-params":""})", Errc::tee_unsupported, "tee"},
    {R"({"version":"0.4.0","tee":"tdx","extra-params":""})", Errc::tee_unsupported, "tee"},
    {R"({"version":"0.4.0","tee":"snp","tee":"snp","extra-params":""})", Errc::json_duplicate, "body"},
    {R"({"version":"0.4.0","tee":"snp","extra-params":{"a":1,"\u0061":2}})", Errc::json_duplicate, "body"},
};

TEST(AuthRequest, RefusesWithCodeAndField) {
  for (const BadAuth& bad : kBadAuths) {
    SCOPED_TRACE(bad.body);
    const Checked<Tee> checked = decode_auth_request(bad.body);
    ASSERT_FALSE(checked);
    EXPECT_EQ(error_name(checked.error().code), std::string(error_name(bad.code)));
    EXPECT_EQ(checked.error().field, bad.field);
  }
}

TEST(AuthRequest, SaysWhichTee) {
  EXPECT_EQ(*decode_auth_request(R"({"version":"0.4.0","tee":"snp","extra-params":""})"), Tee::snp);
  EXPECT_EQ(*decode_auth_request(R"({"version":"0.4.0","tee":"sample","extra-params":""})"), Tee::sample);
}

TEST(AuthRequest, TakesTheHashListOfOtherClientsAndUnknownMembers) {
  EXPECT_TRUE(decode_auth_request(
      R"({"version":"0.4.0","tee":"snp","extra-params":{"supported-hash-algorithms":["sha256","sha384"]},"new":[1]})"));
}

struct BadAttest {
  const char* name;
  Errc code;
  const char* field;
  void (*change)(json&);
};
json& key(json& body) {
  return body["runtime-data"]["tee-pubkey"];
}
json& evidence(json& body) {
  return body["tee-evidence"]["primary_evidence"];
}
const BadAttest kBadAttests[] = {
    {"InitData", Errc::bad_value, "init-data",
     [](json& b) {
       b["init-data"] = {{"format", "toml"}, {"body", ""}};
     }},
    {"NoRuntimeData", Errc::json_missing, "runtime-data", [](json& b) { b.erase("runtime-data"); }},
    {"RuntimeDataList", Errc::json_type, "runtime-data", [](json& b) { b["runtime-data"] = json::array(); }},
    {"NoNonce", Errc::json_missing, "runtime-data.nonce", [](json& b) { b["runtime-data"].erase("nonce"); }},
    {"NonceNull", Errc::json_type, "runtime-data.nonce", [](json& b) { b["runtime-data"]["nonce"] = nullptr; }},
    {"NoKey", Errc::json_missing, "runtime-data.tee-pubkey", [](json& b) { b["runtime-data"].erase("tee-pubkey"); }},
    {"KeyRsaOfAnotherAlg", Errc::key_unsupported, "runtime-data.tee-pubkey.alg",
     [](json& b) { key(b)["kty"] = "RSA"; }},
    {"KeyP384", Errc::key_unsupported, "runtime-data.tee-pubkey.crv", [](json& b) { key(b)["crv"] = "P-384"; }},
    {"KeyP256OfP521", Errc::bad_length, "runtime-data.tee-pubkey.x", [](json& b) { key(b)["crv"] = "P-256"; }},
    {"KeyOtherAlg", Errc::key_unsupported, "runtime-data.tee-pubkey.alg", [](json& b) { key(b)["alg"] = "ECDH-ES"; }},
    {"KeyWithoutX", Errc::json_missing, "runtime-data.tee-pubkey.x", [](json& b) { key(b).erase("x"); }},
    {"KeyXShort", Errc::bad_length, "runtime-data.tee-pubkey.x",
     [](json& b) { key(b)["x"] = key(b)["x"].get<std::string>().substr(0, 86); }},
    {"KeyXLong", Errc::bad_length, "runtime-data.tee-pubkey.x",
     [](json& b) { key(b)["x"] = key(b)["x"].get<std::string>() + "AAAA"; }},
    {"KeyYStandardAlphabet", Errc::bad_base64, "runtime-data.tee-pubkey.y",
     [](json& b) { key(b)["y"] = "+" + key(b)["y"].get<std::string>().substr(1); }},
    {"KeyOffCurve", Errc::bad_point, "runtime-data.tee-pubkey", [](json& b) { std::swap(key(b)["x"], key(b)["y"]); }},
    {"KeyZero", Errc::bad_point, "runtime-data.tee-pubkey",
     [](json& b) { key(b)["x"] = key(b)["y"] = std::string(88, 'A'); }},
    {"KeyAboveP", Errc::bad_point, "runtime-data.tee-pubkey", [](json& b) { key(b)["x"] = std::string(88, '_'); }},
    {"NoEvidence", Errc::json_missing, "tee-evidence", [](json& b) { b.erase("tee-evidence"); }},
    {"NoAdditional", Errc::json_missing, "tee-evidence.additional_evidence",
     [](json& b) { b["tee-evidence"].erase("additional_evidence"); }},
    {"AdditionalDevices", Errc::bad_value, "tee-evidence.additional_evidence",
     [](json& b) { b["tee-evidence"]["additional_evidence"] = "{}"; }},
    {"EvidenceText", Errc::json_type, "tee-evidence.primary_evidence",
     [](json& b) { b["tee-evidence"]["primary_evidence"] = "x"; }},
    {"EvidenceEmpty", Errc::evidence_shape, "tee-evidence.primary_evidence",
     [](json& b) { b["tee-evidence"]["primary_evidence"] = json::object(); }},
    {"EvidenceOfTwoShapes", Errc::evidence_shape, "tee-evidence.primary_evidence",
     [](json& b) { evidence(b)["attestation_report"] = json::object(); }},
    {"StructureEmpty", Errc::json_missing, "tee-evidence.primary_evidence.attestation_report.version",
     [](json& b) {
       b["tee-evidence"]["primary_evidence"] = {{"attestation_report", json::object()}};
     }},
    {"ReportNull", Errc::json_type, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"] = nullptr; }},
    {"ReportShort", Errc::bad_length, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"] = evidence(b)["snp-report"].get<std::string>().substr(4); }},
    {"ReportOneOctetLess", Errc::bad_length, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"].get_ref<std::string&>().replace(1577, 3, "A=="); }},
    {"ReportWithoutPadding", Errc::bad_length, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"].get_ref<std::string&>().pop_back(); }},
    {"ReportUrlAlphabet", Errc::bad_base64, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"].get_ref<std::string&>()[8] = '-'; }},
    {"ReportTrailingBits", Errc::bad_base64, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"].get_ref<std::string&>()[1578] = 'B'; }},
    {"ReportWhiteSpace", Errc::bad_base64, "tee-evidence.primary_evidence.snp-report",
     [](json& b) { evidence(b)["snp-report"].get_ref<std::string&>()[4] = '\n'; }},
    {"CertsNumber", Errc::json_type, "tee-evidence.primary_evidence.certs-buf",
     [](json& b) { evidence(b)["certs-buf"] = 7; }},
    {"CertsNotBase64", Errc::bad_base64, "tee-evidence.primary_evidence.certs-buf",
     [](json& b) { evidence(b)["certs-buf"] = "AAA"; }},
    {"CertsHuge", Errc::too_large, "tee-evidence.primary_evidence.certs-buf",
     [](json& b) { evidence(b)["certs-buf"] = std::string(100'000, 'A'); }},
};

class AttestRequestRefuses : public testing::TestWithParam<BadAttest> {};

TEST_P(AttestRequestRefuses, OneChangedMember) {
  json body = json::parse(good_attest());
  GetParam().change(body);
  const Checked<AttestRequest> request = decode_attest_request(body.dump());
  ASSERT_FALSE(request);
  EXPECT_EQ(error_name(request.error().code), std::string(error_name(GetParam().code))) << request.error().text();
  EXPECT_EQ(request.error().field, GetParam().field);
  EXPECT_NE(request.error().expected, "");
  EXPECT_NE(request.error().found, "");
}

INSTANTIATE_TEST_SUITE_P(Messages, AttestRequestRefuses, testing::ValuesIn(kBadAttests),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(AttestRequest, TakesAnAbsentInitDataAndAbsentCerts) {
  json body = json::parse(good_attest());
  body.erase("init-data");
  evidence(body).erase("certs-buf");
  EXPECT_TRUE(decode_attest_request(body.dump()));
}

TEST(AttestRequest, RefusesEveryTruncation) {
  const std::string good = good_attest();
  for (std::size_t n = 0; n < good.size(); n += 7) EXPECT_FALSE(decode_attest_request(good.substr(0, n))) << n;
  EXPECT_FALSE(decode_attest_request(good.substr(0, good.size() - 1)));
}

TEST(AttestRequest, RefusesDepthAndWidthBeforeBuildingThem) {
  const std::string deep = std::string(1'000'000, '[');
  EXPECT_EQ(decode_attest_request(deep).error().code, Errc::json_depth);
  std::string nested = R"({"x":)" + std::string(8, '[') + std::string(8, ']') + "}";
  EXPECT_EQ(decode_attest_request(nested).error().code, Errc::json_depth);
  std::string wide = "[1";
  for (int i = 0; i < 100'000; ++i) wide += ",1";
  EXPECT_EQ(decode_attest_request(wide + "]").error().code, Errc::json_depth);
}

TEST(Problem, EscapesWhatItQuotes) {
  EXPECT_EQ(encode_problem("X", "a\"b\n\xff"),
            "{\"type\":\"https://github.com/confidential-containers/kbs/errors/X\",\"detail\":\"a\\\"b\\n\\ufffd\"}");
}

}  // namespace
}  // namespace attestbed::kbs
