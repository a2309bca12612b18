// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/token.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/posix/describe.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/broker_fixture.h"
#include "mock-kbs/es256.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

std::vector<std::uint8_t> from_base64url(std::string_view text) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const auto decoded = base64_decode(Base64::url, bytes_of(text), octets, "test");
  EXPECT_TRUE(decoded) << text;
  octets.resize(decoded ? decoded->size() : 0);
  return octets;
}

Es256Signature signature_of(std::string_view text) {
  const std::vector<std::uint8_t> octets = from_base64url(text);
  Es256Signature signature{};
  EXPECT_EQ(octets.size(), signature.size());
  std::copy_n(octets.begin(), std::min(octets.size(), signature.size()), signature.begin());
  return signature;
}

// RFC 7515 appendix A.3: key and JWS.
constexpr std::string_view kRfcScalar = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
constexpr std::string_view kRfcX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view kRfcInput =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
constexpr std::string_view kRfcSignature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

Es256Key rfc_key() {
  crypto::EcKey key;
  EXPECT_TRUE(key.set(crypto::Curve::p256, from_base64url(kRfcScalar)));
  return *Es256Key::from(key);
}

TEST(Es256, VerifiesTheExampleOfRfc7515AndNothingNearIt) {
  const Es256Key key = rfc_key();
  EXPECT_EQ(base64url(key.point().x()), kRfcX);
  const Es256Signature signature = signature_of(kRfcSignature);
  EXPECT_TRUE(key.verifies(kRfcInput, signature));
  EXPECT_FALSE(key.verifies(kRfcInput.substr(1), signature));
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{63}}) {
    Es256Signature changed = signature;
    changed[at] ^= 1;
    EXPECT_FALSE(key.verifies(kRfcInput, changed)) << at;
  }
  EXPECT_FALSE(key.verifies(kRfcInput, Es256Signature{}));
}

TEST(Es256, SignsWhatItVerifies) {
  const Es256Key key = rfc_key();
  // Often enough that r or s begins with a zero octet now and then, which DER drops and JWS must not.
  for (int i = 0; i < 300; ++i) {
    const std::string text = "message " + std::to_string(i);
    const Checked<Es256Signature> signature = key.sign(text);
    ASSERT_TRUE(signature);
    EXPECT_TRUE(key.verifies(text, *signature)) << i;
  }
}

// OpenSSL alone, from the numbers of a JWK: a relying party that has never seen the broker.
bool p256_verifies(const std::vector<std::uint8_t>& x, const std::vector<std::uint8_t>& y, const std::string& text,
                   const std::vector<std::uint8_t>& signature) {
  std::vector<std::uint8_t> point{0x04};
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  char group[] = "P-256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", group, 0),
                               OSSL_PARAM_construct_octet_string("pub", point.data(), point.size()),
                               OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> maker(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(maker.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(params)), 1);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(made, EVP_PKEY_free);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(ECDSA_SIG_new(), ECDSA_SIG_free);
  EXPECT_EQ(signature.size(), 64U);
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(signature.data(), 32, nullptr), BN_bin2bn(signature.data() + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(size),
                                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  OPENSSL_free(der);
  return good;
}

struct Issued {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  std::string token;
  Issued() {
    const Response response = fixture.attest(guest);
    EXPECT_EQ(response.status, 200) << audit_line(response.audit);
    token = json::parse(response.body).at("token").get<std::string>();
  }
  std::string part(int index) const {
    std::size_t from = 0;
    for (int i = 0; i < index; ++i) from = token.find('.', from) + 1;
    return token.substr(from, token.find('.', from) - from);
  }
  json claims() const { return json::parse(text_of(from_base64url(part(1)))); }
};

TEST(Token, SaysWhatTrusteesTokensSay) {
  const Issued issued;
  const json header = json::parse(text_of(from_base64url(issued.part(0))));
  EXPECT_EQ(header.at("typ"), "JWT");
  EXPECT_EQ(header.at("alg"), "ES256");
  EXPECT_EQ(header.at("jwk").at("kty"), "EC");
  EXPECT_EQ(header.at("jwk").at("crv"), "P-256");
  EXPECT_EQ(header.at("jwk").at("x").get<std::string>().size(), 43U);
  EXPECT_EQ(from_base64url(issued.part(2)).size(), 64U);

  const json claims = issued.claims();
  EXPECT_EQ(claims.at("iat"), 1759276800);  // 2025-10-01T00:00:00Z
  EXPECT_EQ(claims.at("exp"), 1759276800 + 300);
  const json& cpu = claims.at("submods").at("cpu0");
  EXPECT_EQ(cpu.at("ear.status"), "affirming");
  EXPECT_EQ(cpu.at("ear.trustworthiness-vector").at("executables"), 3);
  const json& evidence = cpu.at("ear.veraison.annotated-evidence");
  std::string measurement;
  for (int i = 0; i < 48; ++i) measurement += "a1";
  EXPECT_EQ(evidence.at("snp").at("measurement"), measurement);
  EXPECT_EQ(evidence.at("snp").at("policy_debug_allowed"), false);
  EXPECT_EQ(evidence.at("report_data"), posix::to_hex(issued.guest.report.report_data));
  EXPECT_EQ(evidence.at("init_data"), std::string(64, '0'));
  EXPECT_EQ(evidence.at("init_data_claims"), nullptr);
  EXPECT_EQ(cpu.at("ear.trustee.identifiers"), json::parse(R"({"validated":{}})"));
  for (const char* claim : {"policy_abi_major", "policy_abi_minor", "policy_smt_allowed", "policy_migrate_ma",
                            "policy_single_socket", "reported_tcb_bootloader", "reported_tcb_tee", "reported_tcb_snp",
                            "reported_tcb_microcode", "platform_tsme_enabled", "platform_smt_enabled", "chip_id"}) {
    EXPECT_TRUE(evidence.at("snp").contains(claim)) << claim;
  }
  EXPECT_EQ(cpu.at("ear.trustworthiness-vector").size(), 8U);
  const json& runtime = evidence.at("runtime_data_claims");
  EXPECT_EQ(runtime.at("nonce"), issued.guest.nonce);
  EXPECT_EQ(runtime.at("tee-pubkey").at("x"), base64url(issued.fixture.guest_key().point().x()));
}

TEST(Token, VerifiesUnderTheKeyOfTheKeySet) {
  Issued issued;
  const Response response = handle(issued.fixture.broker(), {.method = "GET",
                                                             .target = "/.well-known/jwks.json",
                                                             .body = {},
                                                             .cookies = {},
                                                             .authorization = {},
                                                             .peer = "test"});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  const json keys = json::parse(response.body).at("keys");
  ASSERT_EQ(keys.size(), 1U);
  const json jwk = json::parse(text_of(from_base64url(issued.part(0)))).at("jwk");
  for (const char* member : {"alg", "kty", "crv", "x", "y"}) EXPECT_EQ(keys[0].at(member), jwk.at(member)) << member;
  EXPECT_EQ(keys[0].at("use"), "sig");
  EXPECT_EQ(keys[0].at("kid").get<std::string>().size(), 43U);
  const std::size_t dot = issued.token.rfind('.');
  EXPECT_TRUE(p256_verifies(from_base64url(jwk.at("x").get<std::string>()),
                            from_base64url(jwk.at("y").get<std::string>()), issued.token.substr(0, dot),
                            from_base64url(issued.part(2))));
}

TEST(Token, WarnsOfAGuestThatMayBeDebugged) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  guest.report.measurement.fill(0xa4);
  guest.report.policy = guest.report.policy | snp::kPolicyDebug;
  const std::string token = json::parse(fixture.attest(guest).body).at("token").get<std::string>();
  const std::size_t dot = token.find('.') + 1;
  const json claims = json::parse(text_of(from_base64url(token.substr(dot, token.rfind('.') - dot))));
  const json& cpu = claims.at("submods").at("cpu0");
  EXPECT_EQ(cpu.at("ear.status"), "warning");
  EXPECT_EQ(cpu.at("ear.trustworthiness-vector").at("configuration"), 36);
  EXPECT_EQ(cpu.at("ear.veraison.annotated-evidence").at("snp").at("policy_debug_allowed"), true);
}

TEST(Token, OpensTheResourceWithoutACookieAndBesideADeadOne) {
  Issued issued;
  const std::string bearer = "Bearer " + issued.token;
  for (const char* cookie : {"", "kbs-session-id=00000000000000000000000000000000"}) {
    const Response response = issued.fixture.get_resource(cookie, "default/sample/test", bearer);
    ASSERT_EQ(response.status, 200) << audit_line(response.audit);
    EXPECT_EQ(issued.fixture.open_jwe(response.body), BrokerFixture::kSecret);
    EXPECT_EQ(response.audit.attestation.size(), 16U);
  }
}

TEST(Token, ExpiresOnTheSecond) {
  Issued issued;
  issued.fixture.date().advance(std::chrono::seconds(299));
  EXPECT_EQ(issued.fixture.get_resource("", "default/sample/test", "Bearer " + issued.token).status, 200);
  issued.fixture.date().advance(std::chrono::seconds(1));
  const Response late = issued.fixture.get_resource("", "default/sample/test", "Bearer " + issued.token);
  EXPECT_EQ(late.status, 401);
  EXPECT_NE(late.body.find("errors/TokenVerifierError"), std::string::npos);
  EXPECT_EQ(late.audit.refusal->code, Errc::token_expired);
}

TEST(Token, IsRefusedWhenForgedInAnyPart) {
  Issued issued;
  Issued other;  // a broker process of its own, with a key of its own
  json claims = issued.claims();
  claims["exp"] = 4102444800;
  json none = json::parse(text_of(from_base64url(issued.part(0))));
  none["alg"] = "none";
  const std::string later = base64url(claims.dump());
  std::string flipped = issued.token;
  flipped[flipped.size() - 10] = flipped[flipped.size() - 10] == 'A' ? 'B' : 'A';
  const std::pair<const char*, std::string> forgeries[] = {
      {"of another process", other.token},
      {"claims changed", issued.part(0) + "." + later + "." + issued.part(2)},
      {"alg none without signature", base64url(none.dump()) + "." + later + "."},
      {"alg none with signature", base64url(none.dump()) + "." + issued.part(1) + "." + issued.part(2)},
      {"jwk of another key", other.part(0) + "." + issued.part(1) + "." + issued.part(2)},
      {"signature flipped", flipped},
      {"no signature", issued.part(0) + "." + issued.part(1) + "."},
      {"two parts", issued.part(0) + "." + issued.part(1)},
      {"four parts", issued.token + "." + issued.part(2)},
      {"one part", "token"},
      {"padded", issued.token + "=="},
      {"huge", std::string(kMaxTokenBytes + 1, 'A')},
  };
  for (const auto& [name, token] : forgeries) {
    SCOPED_TRACE(name);
    const Response response = issued.fixture.get_resource("", "default/sample/test", "Bearer " + token);
    EXPECT_EQ(response.status, 401);
    EXPECT_NE(response.body.find("errors/TokenVerifierError"), std::string::npos);
    EXPECT_EQ(response.audit.refusal->code, Errc::token_invalid);
  }
}

}  // namespace
}  // namespace attestbed::kbs
