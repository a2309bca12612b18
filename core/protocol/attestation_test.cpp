// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/attestation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/posix/describe.h"
#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

using nlohmann::json;

MutBytes mut(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

json plain_frame(const char* which) {
  const json file = json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
  return json::parse(file["cases"][0]["frames"][which]["json"].get<std::string>());
}

// One thing is changed in a good message; the decoder must name that thing.
struct Change {
  const char* name;
  std::function<void(json&)> change;
  Errc code;
  const char* where;
};
void expect_refused(const Error& error, const Change& change) {
  EXPECT_STREQ(error_name(error.code), error_name(change.code));
  EXPECT_STREQ(error.where, change.where);
}

class AttestationResponseRejects : public testing::TestWithParam<Change> {};
TEST_P(AttestationResponseRejects, OneChange) {
  json message = plain_frame("attestation_response");
  std::string good = message.dump();
  ASSERT_TRUE(decode_attestation_response(mut(good), KeyType::p521));
  GetParam().change(message);
  std::string text = message.dump();
  const auto decoded = decode_attestation_response(mut(text), KeyType::p521);
  ASSERT_FALSE(decoded);
  expect_refused(decoded.error(), GetParam());
}
const json kError = {{"code", "refused"}, {"phase", "attestation"}, {"detail", ""}};
INSTANTIATE_TEST_SUITE_P(
    Table, AttestationResponseRejects,
    testing::Values(
        Change{"SuccessMissing", [](json& m) { m.erase("success"); }, Errc::json_missing,
               "AttestationResponse.success"},
        Change{"SuccessAsNumber", [](json& m) { m["success"] = 1; }, Errc::json_type, "AttestationResponse.success"},
        Change{"SecretMissing", [](json& m) { m.erase("secret"); }, Errc::contradiction, "AttestationResponse.secret"},
        Change{"SecretNull", [](json& m) { m["secret"] = nullptr; }, Errc::json_type, "AttestationResponse.secret"},
        Change{"SecretUnpadded", [](json& m) { m["secret"] = "AA"; }, Errc::bad_base64, "AttestationResponse.secret"},
        Change{"SecretTooLarge", [](json& m) { m["secret"] = std::string(43700, 'A'); }, Errc::too_large,
               "AttestationResponse.secret"},
        Change{"DecryptionNull", [](json& m) { m["decryption"] = nullptr; }, Errc::contradiction,
               "AttestationResponse.decryption"},
        Change{"DecryptionAsArray", [](json& m) { m["decryption"] = json::array(); }, Errc::json_type,
               "AttestationResponse.decryption"},
        Change{"SecretWithoutSuccess", [](json& m) { m["success"] = false; }, Errc::contradiction,
               "AttestationResponse.success"},
        Change{"ErrorBesideSuccess", [](json& m) { m["ext"]["error"] = kError; }, Errc::contradiction,
               "AttestationResponse.ext.error"},
        Change{"EpkMissing", [](json& m) { m["decryption"].erase("epk"); }, Errc::json_missing, "decryption.epk"},
        Change{"EpkShort", [](json& m) { m["decryption"]["epk"]["x"] = "AAAA"; }, Errc::bad_length, "decryption.epk"},
        Change{"EpkWithoutY", [](json& m) { m["decryption"]["epk"].erase("y"); }, Errc::json_missing, "decryption.epk"},
        Change{"WrappedMissing", [](json& m) { m["decryption"].erase("wrapped_cek"); }, Errc::json_missing,
               "decryption.wrapped_cek"},
        Change{"WrappedEmpty", [](json& m) { m["decryption"]["wrapped_cek"] = ""; }, Errc::bad_length,
               "decryption.wrapped_cek"},
        Change{"IvSixteen", [](json& m) { m["decryption"]["iv"] = "AAAAAAAAAAAAAAAAAAAAAA=="; }, Errc::bad_length,
               "decryption.iv"},
        Change{"TagTwelve", [](json& m) { m["decryption"]["tag"] = "AAAAAAAAAAAAAAAA"; }, Errc::bad_length,
               "decryption.tag"},
        Change{"AadMissing", [](json& m) { m["decryption"].erase("aad"); }, Errc::json_missing, "decryption.aad"},
        Change{"AadTooLong", [](json& m) { m["decryption"]["aad"] = std::string(1824, 'A'); }, Errc::too_large,
               "decryption.aad"},
        Change{"TokenAsString", [](json& m) { m["token"] = "x"; }, Errc::json_type, "AttestationResponse.token"},
        Change{"TokenOfTwoKinds",
               [](json& m) {
                 m["token"] = {{"Cwt", "x"}, {"Jwt", "y"}};
               },
               Errc::bad_value, "AttestationResponse.token"},
        Change{"TokenOfUnknownKind",
               [](json& m) {
                 m["token"] = {{"Pwt", "x"}};
               },
               Errc::bad_value, "AttestationResponse.token"},
        Change{"TokenEmpty", [](json& m) { m["token"] = json::object(); }, Errc::json_missing,
               "AttestationResponse.token"}),
    [](const auto& row) { return row.param.name; });

class AttestationRequestRejects : public testing::TestWithParam<Change> {};
TEST_P(AttestationRequestRejects, OneChange) {
  json message = plain_frame("attestation_request");
  GetParam().change(message);
  std::string text = message.dump();
  const auto decoded = decode_attestation_request(mut(text), KeyType::p521);
  ASSERT_FALSE(decoded);
  expect_refused(decoded.error(), GetParam());
}
INSTANTIATE_TEST_SUITE_P(
    Table, AttestationRequestRejects,
    testing::Values(
        Change{"TeeMissing", [](json& m) { m.erase("tee"); }, Errc::json_missing, "AttestationRequest.tee"},
        Change{"TeeUnknown", [](json& m) { m["tee"] = "sgx2"; }, Errc::bad_value, "AttestationRequest.tee"},
        Change{"EvidenceMissing", [](json& m) { m.erase("evidence"); }, Errc::json_missing,
               "AttestationRequest.evidence"},
        Change{"EvidenceOfTwoKinds",
               [](json& m) {
                 m["evidence"]["Tdx"] = {{"quote", ""}};
               },
               Errc::bad_value, "AttestationRequest.evidence"},
        Change{"EvidenceLowerCase",
               [](json& m) {
                 m["evidence"] = {{"snp", m["evidence"]["Snp"]}};
               },
               Errc::bad_value, "AttestationRequest.evidence"},
        Change{"EvidenceEmpty", [](json& m) { m["evidence"] = json::object(); }, Errc::json_missing, "evidence.Snp"},
        Change{"ReportMissing", [](json& m) { m["evidence"]["Snp"].erase("report"); }, Errc::json_missing,
               "evidence.Snp.report"},
        Change{"ReportShort", [](json& m) { m["evidence"]["Snp"]["report"] = "AAAA"; }, Errc::bad_length,
               "evidence.Snp.report"},
        Change{"CertsTooLarge", [](json& m) { m["evidence"]["Snp"]["certs_buf"] = std::string(21852, 'A'); },
               Errc::too_large, "evidence.Snp.certs_buf"},
        Change{"ChallengeMissing", [](json& m) { m.erase("challenge"); }, Errc::json_missing,
               "AttestationRequest.challenge"},
        Change{"ChallengeShort", [](json& m) { m["challenge"] = "AAAA"; }, Errc::bad_length,
               "AttestationRequest.challenge"},
        Change{"ChallengeLong", [](json& m) { m["challenge"] = std::string(88, 'A'); }, Errc::bad_length,
               "AttestationRequest.challenge"},
        Change{"KeyMissing", [](json& m) { m.erase("key"); }, Errc::json_missing, "AttestationRequest.key"},
        Change{"KeyOfP256Width", [](json& m) { m["key"]["x"] = std::string(43, 'A') + "="; }, Errc::bad_length,
               "AttestationRequest.key"}),
    [](const auto& row) { return row.param.name; });

TEST(AttestationRequest, CarriesCertificatesWhenThereAreAny) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  const std::string report(snp::kReportBytes, 'r'), certs(kMaxCertsBytes, 'c'), challenge(32, 'n');
  const auto text = encode_attestation_request(
      {.report = bytes_of(report), .certs = bytes_of(certs), .challenge = bytes_of(challenge), .key = {}}, buffer);
  ASSERT_TRUE(text) << posix::describe(text.error());
  std::string copy(text_of(*text));
  const auto decoded = decode_attestation_request(mut(copy), KeyType::p521);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(text_of(decoded->certs), certs);
}

TEST(AttestationResponse, ATokenThatDoesNotFitIsSentAsNull) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  std::string secret(kMaxCiphertextBytes, 's');
  const std::string aad(100, 'a'), token(30000, 't');
  AttestationResponse response{
      .success = true,
      .secret = mut(secret),
      .decryption = Decryption{.epk = crypto::EcPoint(), .wrapped_cek = {}, .aad = bytes_of(aad), .iv = {}, .tag = {}},
      .token = Token{"Jwt", token},
      .error = {}};
  const auto text = encode_attestation_response(response, buffer);
  ASSERT_TRUE(text);
  const json parsed = json::parse(text_of(*text));
  EXPECT_TRUE(parsed["token"].is_null());
  EXPECT_EQ(parsed["secret"].get<std::string>().size(), base64_encoded_size(Base64::standard, kMaxCiphertextBytes));
  response.token = Token{"Jwt", std::string_view(token).substr(0, 10000)};
  EXPECT_EQ(
      json::parse(text_of(*encode_attestation_response(response, buffer)))["token"]["Jwt"].get<std::string>().size(),
      10000U);
}

TEST(AttestationResponse, ARefusalNeverWritesASecretMember) {
  ByteArray<512> buffer;
  AttestationResponse refusal;
  EXPECT_EQ(text_of(*encode_attestation_response(refusal, buffer)),
            R"({"success":false,"decryption":null,"token":null})");
  refusal.error.emplace();
  refusal.error->code = Errc::attestation_refused;
  refusal.error->phase = Phase::attestation;
  refusal.error->set_detail("measurement");
  EXPECT_EQ(
      text_of(*encode_attestation_response(refusal, buffer)),
      R"({"success":false,"decryption":null,"token":null,"ext":{"error":{"code":"attestation_refused","phase":"attestation","detail":"measurement"}}})");
}

TEST(AttestationMessages, EveryTruncationIsRefused) {
  const std::string response = plain_frame("attestation_response").dump(),
                    request = plain_frame("attestation_request").dump();
  for (std::size_t n = 0; n < response.size(); ++n) {
    std::string cut = response.substr(0, n);
    EXPECT_FALSE(decode_attestation_response(mut(cut), KeyType::p521)) << n;
  }
  for (std::size_t n = 0; n < request.size(); ++n) {
    std::string cut = request.substr(0, n);
    EXPECT_FALSE(decode_attestation_request(mut(cut), KeyType::p521)) << n;
  }
}

}  // namespace
}  // namespace attestbed::protocol
