// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "core/protocol/frame.h"
#include "core/protocol/guest_keys_fixture.h"
#include "core/protocol/jwe.h"
#include "core/protocol/negotiation.h"

// The frames of a guest whose key is no P-521 key, and what opens its secret.
namespace attestbed::protocol {
namespace {

const json& p256() {
  return guest_key_cases().at(1);
}
const json& rsa() {
  return guest_key_cases().at(2);
}
std::string frame(const json& guest_case, const char* name) {
  return guest_case.at("frames").at(name);
}

class EveryKey : public testing::TestWithParam<std::size_t> {
 protected:
  const json& guest_case() const { return guest_key_cases().at(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Table, EveryKey, testing::Values(0, 1, 2), [](const auto& row) {
  return std::string(row.param == 0 ? "P521" : row.param == 1 ? "P256" : "RSA");
});

TEST_P(EveryKey, StatesItsTermsAndTakesTheEcho) {
  const Terms terms{.binding = Binding::kbs_sha384, .key = type_of(guest_case()), .resource = {}};
  ByteArray<512> memory;
  const auto request = encode_negotiation_request({.terms = terms}, memory);
  ASSERT_TRUE(request);
  EXPECT_EQ(text_of(*request), frame(guest_case(), "negotiation_request"));
  std::string answer = frame(guest_case(), "negotiation_response");
  const auto response = decode_negotiation_response(writable(answer), &terms);
  ASSERT_TRUE(response && response->challenge);
  EXPECT_EQ(crypto::hex(response->challenge->octets()), guest_case().at("challenge").get<std::string>());
}

TEST_P(EveryKey, SendsItsEvidenceAsTheVectorHasIt) {
  const crypto::Octets report = octets_of(guest_case(), "/report"), challenge = octets_of(guest_case(), "/challenge");
  std::vector<std::uint8_t> memory(kMaxFrameBytes);
  const auto encoded = encode_attestation_request(
      {.report = report, .certs = {}, .challenge = challenge, .key = public_key_of(guest_case())}, memory);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(text_of(*encoded), frame(guest_case(), "attestation_request"));
  std::string text = frame(guest_case(), "attestation_request");
  const auto decoded = decode_attestation_request(writable(text), type_of(guest_case()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->key, public_key_of(guest_case()));
}

TEST_P(EveryKey, OpensTheSecretOfTheVector) {
  std::string text = frame(guest_case(), "attestation_response");
  const auto response = decode_attestation_response(writable(text), type_of(guest_case()));
  ASSERT_TRUE(response && response->decryption && response->secret);
  EXPECT_EQ(response->decryption->epk.has_value(), is_ec(type_of(guest_case())));
  std::vector<std::uint8_t> memory(kMaxFrameBytes);
  const auto again = encode_attestation_response(*response, memory);
  ASSERT_TRUE(again);
  EXPECT_EQ(text_of(*again), frame(guest_case(), "attestation_response"));
  GuestKey key;
  ASSERT_TRUE(set_key(guest_case(), key));
  const auto secret = jwe_open(key, *response->decryption, *response->secret);
  ASSERT_TRUE(secret) << error_name(secret.error().code);
  EXPECT_EQ(crypto::hex(*secret), guest_case().at("plaintext").get<std::string>());
}

std::string base64_of(std::size_t octets) {
  const crypto::Octets zeros(octets);
  std::vector<std::uint8_t> memory(2 * octets + 4);
  Writer out(memory);
  base64_encode(Base64::standard, zeros, out);
  return std::string(text_of(*out.finish("test")));
}

struct Change {
  const char* name;
  const json& (*guest_case)();
  std::function<void(json&)> change;
  Errc code;
};

class RequestOfKey : public testing::TestWithParam<Change> {};
TEST_P(RequestOfKey, IsRefused) {
  json message = json::parse(frame(GetParam().guest_case(), "attestation_request"));
  GetParam().change(message);
  std::string text = message.dump();
  const auto decoded = decode_attestation_request(writable(text), type_of(GetParam().guest_case()));
  ASSERT_FALSE(decoded);
  EXPECT_STREQ(error_name(decoded.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, RequestOfKey,
    testing::Values(
        Change{"RsaWithoutE", rsa, [](json& m) { m["key"].erase("e"); }, Errc::json_missing},
        Change{"RsaWithoutN", rsa, [](json& m) { m["key"].erase("n"); }, Errc::json_missing},
        Change{"RsaAsPoint", rsa,
               [](json& m) {
                 m["key"] = {{"x", base64_of(66)}, {"y", base64_of(66)}};
               },
               Errc::json_missing},
        Change{"RsaExponentThree", rsa, [](json& m) { m["key"]["e"] = "Aw=="; }, Errc::bad_length},
        Change{"RsaExponentOther", rsa, [](json& m) { m["key"]["e"] = "AQAD"; }, Errc::bad_value},
        Change{"RsaModulusShort", rsa, [](json& m) { m["key"]["n"] = base64_of(383); }, Errc::bad_length},
        Change{"RsaModulusOf4096Bits", rsa, [](json& m) { m["key"]["n"] = base64_of(512); }, Errc::bad_length},
        Change{"RsaModulusZero", rsa, [](json& m) { m["key"]["n"] = base64_of(384); }, Errc::bad_value},
        Change{"RsaModulusUrlAlphabet", rsa, [](json& m) { m["key"]["n"] = std::string(512, '_'); }, Errc::bad_base64},
        Change{"RsaKeyAsText", rsa, [](json& m) { m["key"] = "AQAB"; }, Errc::json_type},
        Change{"P256OfP521Width", p256,
               [](json& m) {
                 m["key"] = {{"x", base64_of(66)}, {"y", base64_of(66)}};
               },
               Errc::bad_length},
        Change{"P256CoordinateStripped", p256, [](json& m) { m["key"]["y"] = base64_of(31); }, Errc::bad_length},
        Change{"P256AsRsa", p256,
               [](json& m) {
                 m["key"] = {{"n", base64_of(384)}, {"e", "AQAB"}};
               },
               Errc::json_missing}),
    [](const auto& row) { return row.param.name; });

class AnswerToKey : public testing::TestWithParam<Change> {};
TEST_P(AnswerToKey, IsRefused) {
  json message = json::parse(frame(GetParam().guest_case(), "attestation_response"));
  GetParam().change(message["decryption"]);
  std::string text = message.dump();
  const auto decoded = decode_attestation_response(writable(text), type_of(GetParam().guest_case()));
  ASSERT_FALSE(decoded);
  EXPECT_STREQ(error_name(decoded.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, AnswerToKey,
    testing::Values(Change{"RsaWithEpk", rsa,
                           [](json& d) {
                             d["epk"] = {{"x", base64_of(66)}, {"y", base64_of(66)}};
                           },
                           Errc::bad_value},
                    Change{"RsaWithNullEpk", rsa, [](json& d) { d["epk"] = nullptr; }, Errc::bad_value},
                    Change{"RsaWrappedAsEc", rsa, [](json& d) { d["wrapped_cek"] = base64_of(40); }, Errc::bad_length},
                    Change{"RsaWrappedLong", rsa, [](json& d) { d["wrapped_cek"] = base64_of(385); }, Errc::bad_length},
                    Change{"RsaWrappedMissing", rsa, [](json& d) { d.erase("wrapped_cek"); }, Errc::json_missing},
                    Change{"P256WithoutEpk", p256, [](json& d) { d.erase("epk"); }, Errc::json_missing},
                    Change{"P256EpkOfP521", p256,
                           [](json& d) {
                             d["epk"] = {{"x", base64_of(66)}, {"y", base64_of(66)}};
                           },
                           Errc::bad_length},
                    Change{"P256WrappedAsRsa", p256, [](json& d) { d["wrapped_cek"] = base64_of(384); },
                           Errc::bad_length}),
    [](const auto& row) { return row.param.name; });

// Whoever knows the guest's public key can seal under any header: the header is judged by itself.
struct Header {
  const char* name;
  const json& (*guest_case)();
  std::function<void(json&)> change;
  std::optional<Errc> code;  // none: it opens
};
class HeaderForKey : public testing::TestWithParam<Header> {};
TEST_P(HeaderForKey, IsJudged) {
  const json& guest_case = GetParam().guest_case();
  json header = json::parse(guest_case.at("protected_header_json").get<std::string>());
  GetParam().change(header);
  const std::string text = header.dump();
  std::vector<std::uint8_t> aad(base64_encoded_size(Base64::url, text.size()));
  Writer out(aad);
  base64_encode(Base64::url, bytes_of(text), out);

  std::string answer = frame(guest_case, "attestation_response");
  const auto response = decode_attestation_response(writable(answer), type_of(guest_case));
  ASSERT_TRUE(response);
  Decryption decryption = *response->decryption;
  decryption.aad = aad;
  crypto::Octets secret = octets_of(guest_case, "/plaintext");
  const auto cek = crypto::unhex_secret<32>(guest_case.at("cek").get<std::string>());
  decryption.tag = *crypto::aes256gcm_seal(cek, decryption.iv, aad, secret, secret);

  GuestKey key;
  ASSERT_TRUE(set_key(guest_case, key));
  const auto opened = jwe_open(key, decryption, secret);
  ASSERT_EQ(opened.has_value(), !GetParam().code.has_value());
  if (!opened) {
    EXPECT_STREQ(error_name(opened.error().code), error_name(*GetParam().code));
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, HeaderForKey,
    testing::Values(Header{"RsaAsItIs", rsa, [](json&) {}, std::nullopt},
                    Header{"RsaUnknownMember", rsa, [](json& h) { h["kid"] = "1"; }, std::nullopt},
                    Header{"RsaWithEpk", rsa, [](json& h) { h["epk"] = json::object(); }, Errc::jwe_header},
                    Header{"RsaPkcs1", rsa, [](json& h) { h["alg"] = "RSA1_5"; }, Errc::jwe_header},
                    Header{"RsaOaepSha1", rsa, [](json& h) { h["alg"] = "RSA-OAEP"; }, Errc::jwe_header},
                    Header{"RsaOaep512", rsa, [](json& h) { h["alg"] = "RSA-OAEP-512"; }, Errc::jwe_header},
                    Header{"RsaAlgOfEc", rsa, [](json& h) { h["alg"] = "ECDH-ES+A256KW"; }, Errc::jwe_header},
                    Header{"RsaAlgMissing", rsa, [](json& h) { h.erase("alg"); }, Errc::jwe_header},
                    Header{"RsaEncMissing", rsa, [](json& h) { h.erase("enc"); }, Errc::jwe_header},
                    Header{"RsaEncCbc", rsa, [](json& h) { h["enc"] = "A256CBC-HS512"; }, Errc::jwe_header},
                    Header{"RsaZip", rsa, [](json& h) { h["zip"] = "DEF"; }, Errc::jwe_header},
                    Header{"RsaCrit", rsa, [](json& h) { h["crit"] = {"exp"}; }, Errc::jwe_header},
                    Header{"P256AsItIs", p256, [](json&) {}, std::nullopt},
                    Header{"P256CurveOfP521", p256, [](json& h) { h["epk"]["crv"] = "P-521"; }, Errc::jwe_header},
                    Header{"P256AlgOfRsa", p256, [](json& h) { h["alg"] = "RSA-OAEP-256"; }, Errc::jwe_header},
                    Header{"P256OtherPoint", p256, [](json& h) { std::swap(h["epk"]["x"], h["epk"]["y"]); },
                           Errc::jwe_epk_mismatch}),
    [](const auto& row) { return row.param.name; });

TEST(JweOpen, WantsWhatGoesWithTheKeyWhateverWasDecoded) {
  GuestKey key;
  ASSERT_TRUE(set_key(rsa(), key));
  Decryption of_ec{.epk = crypto::EcPoint(), .wrapped_cek = crypto::WrappedKey{}, .aad = {}, .iv = {}, .tag = {}};
  EXPECT_EQ(jwe_open(key.rsa, of_ec, {}).error().code, Errc::bad_value);
  of_ec.epk.reset();
  EXPECT_EQ(jwe_open(key.rsa, of_ec, {}).error().code, Errc::bad_length);
  ASSERT_TRUE(set_key(p256(), key));
  EXPECT_EQ(jwe_open(key.ec, of_ec, {}).error().code, Errc::json_missing);
  of_ec.epk = crypto::EcPoint();
  of_ec.wrapped_cek = crypto::RsaWrappedKey{};
  EXPECT_EQ(jwe_open(key.ec, of_ec, {}).error().code, Errc::bad_length);
}

}  // namespace
}  // namespace attestbed::protocol
