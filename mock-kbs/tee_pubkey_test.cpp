// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/tee_pubkey.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

// A point of P-256 and the RFC 7638 thumbprint of its JWK, by Python's cryptography and hashlib.
constexpr char kP256[] =
    R"({"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"Rxw-dYxJBChbun5TEY7Q9SSt6wdX0lvS-Oew1236cUw",)"
    R"("y":"3VIPesqKi5F6zDf1HejwybvjrYWDgucC3CWhLQn3qFg"})";
constexpr char kP256Thumbprint[] = "D8HvZq-fumkXpCwYIpjAPoqJx7WoEcJUS7tPPyIEJKI";
// The same of the guest key of the first of the recorded vectors.
constexpr char kP521Thumbprint[] = "wI38PQZyDCMBV7dTzEhprU1WCIECxufxgh2hqFLhE60";

// n of 384 octets: top bit and lowest bit set. No key that anybody could use; only its form matters here.
std::string modulus(std::uint8_t first = 0x80, std::uint8_t last = 0x01, std::size_t octets = 384) {
  std::vector<std::uint8_t> n(octets);
  n.front() = first;
  n.back() = last;
  return base64url(n);
}
json rsa_key() {
  return {{"alg", "RSA-OAEP-256"}, {"e", "AQAB"}, {"kty", "RSA"}, {"n", modulus()}};
}

Checked<protocol::GuestPublicKey> decode(const json& key) {
  const Members members = TRY(Members::of(key, "tee-pubkey"));
  return decode_tee_pubkey(members);
}

json p521_key() {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + "/core/testdata/aproxy-vectors.json");
  const json vectors = json::parse(file);
  return json::parse(vectors.at("cases").front().at("trustee_binding").at("jcs").get<std::string>()).at("tee-pubkey");
}

TEST(TeePubkey, ReadsEveryKindAndWritesItAsItWas) {
  for (const json& key : {p521_key(), json::parse(kP256), rsa_key()}) {
    const auto decoded = decode(key);
    ASSERT_TRUE(decoded) << decoded.error().text();
    EXPECT_EQ(tee_pubkey_json(*decoded), key);
  }
  EXPECT_EQ(decode(p521_key())->type, protocol::KeyType::p521);
  EXPECT_EQ(decode(json::parse(kP256))->type, protocol::KeyType::p256);
  EXPECT_EQ(decode(rsa_key())->type, protocol::KeyType::rsa3072);
  // The text of RFC 8785: members sorted, no spaces.
  EXPECT_EQ(tee_pubkey_json(*decode(json::parse(kP256))).dump(), kP256);
}

TEST(TeePubkey, HasTheThumbprintOfRfc7638) {
  EXPECT_EQ(thumbprint(*decode(json::parse(kP256))), kP256Thumbprint);
  EXPECT_EQ(thumbprint(*decode(p521_key())), kP521Thumbprint);
}

struct BadKey {
  const char* name;
  Errc code;
  const char* field;
  json key;
};

json changed(json key, const char* member, const json& value) {
  key[member] = value;
  return key;
}
json without(json key, const char* member) {
  key.erase(member);
  return key;
}

TEST(TeePubkey, RefusesEveryOtherKey) {
  const json p256 = json::parse(kP256);
  const json p521 = p521_key();
  const json rsa = rsa_key();
  const BadKey cases[] = {
      {"no kty", Errc::json_missing, "tee-pubkey.kty", without(p256, "kty")},
      {"AKP", Errc::key_unsupported, "tee-pubkey.kty", changed(p256, "kty", "AKP")},
      {"lower case kty", Errc::key_unsupported, "tee-pubkey.kty", changed(p256, "kty", "ec")},
      {"P-384", Errc::key_unsupported, "tee-pubkey.crv", changed(p256, "crv", "P-384")},
      {"EC with another alg", Errc::key_unsupported, "tee-pubkey.alg", changed(p256, "alg", "RSA-OAEP-256")},
      {"P-521 coordinates as P-256", Errc::bad_length, "tee-pubkey.x", changed(p521, "crv", "P-256")},
      {"P-256 coordinates as P-521", Errc::bad_length, "tee-pubkey.x", changed(p256, "crv", "P-521")},
      {"off the curve", Errc::bad_point, "tee-pubkey", changed(p256, "y", p256.at("x"))},
      {"zero point", Errc::bad_point, "tee-pubkey",
       changed(changed(p256, "x", std::string(43, 'A')), "y", std::string(43, 'A'))},
      {"x above p", Errc::bad_point, "tee-pubkey", changed(p256, "x", std::string(42, '_') + "8")},
      {"RSA1_5", Errc::key_unsupported, "tee-pubkey.alg", changed(rsa, "alg", "RSA1_5")},
      {"RSA without n", Errc::json_missing, "tee-pubkey.n", without(rsa, "n")},
      {"n of 2048 bits", Errc::bad_length, "tee-pubkey.n", changed(rsa, "n", modulus(0x80, 1, 256))},
      {"n of 4096 bits", Errc::bad_length, "tee-pubkey.n", changed(rsa, "n", modulus(0x80, 1, 512))},
      {"n of 3071 bits", Errc::bad_value, "tee-pubkey", changed(rsa, "n", modulus(0x7f, 1))},
      {"n even", Errc::bad_value, "tee-pubkey", changed(rsa, "n", modulus(0x80, 2))},
      {"n in the standard alphabet", Errc::bad_base64, "tee-pubkey.n", changed(rsa, "n", "+" + modulus().substr(1))},
      {"e = 3", Errc::bad_length, "tee-pubkey.e", changed(rsa, "e", "Aw")},
      {"e = 65539", Errc::bad_value, "tee-pubkey", changed(rsa, "e", "AQAD")},
      {"e padded in front", Errc::bad_length, "tee-pubkey.e", changed(rsa, "e", "AAEAAQ")},
  };
  for (const BadKey& bad : cases) {
    SCOPED_TRACE(bad.name);
    const auto decoded = decode(bad.key);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(error_name(decoded.error().code), std::string(error_name(bad.code))) << decoded.error().text();
    EXPECT_EQ(decoded.error().field, bad.field);
    EXPECT_NE(decoded.error().expected, "");
    EXPECT_NE(decoded.error().found, "");
  }
}

}  // namespace
}  // namespace attestbed::kbs
