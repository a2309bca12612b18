// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_jwe.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/openssl/library.h"
#include "core/posix/clock.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/fault_fixture.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Octets = std::vector<std::uint8_t>;

Octets decoded(Base64 alphabet, const json& text) {
  const std::string characters = text.get<std::string>();
  Octets octets(base64_max_decoded_size(characters.size()));
  const auto result = base64_decode(alphabet, bytes_of(characters), octets, "test");
  EXPECT_TRUE(result) << characters;
  octets.resize(result ? result->size() : 0);
  return octets;
}

// One guest that has attested, asking once for its secret.
class OddJwe : public testing::Test {
 protected:
  json answer(const std::string& kind, std::uint64_t seed = 1) {
    broker_.faults().set({.seed = seed, .faults = {*parse_fault("resource:1:" + kind)}});
    const Response response = broker_.resource(guest_);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.audit.fault, "resource:1:" + kind);
    body_ = response.body;
    return json::parse(body_);
  }
  static ordered_json header(const json& jwe) { return ordered_json::parse(header_text(jwe)); }
  static std::string header_text(const json& jwe) {
    const Octets text = decoded(Base64::url, jwe.at("protected"));
    return std::string(text.begin(), text.end());
  }
  static std::size_t size(const json& jwe, const char* member) { return decoded(Base64::url, jwe.at(member)).size(); }

  // What RFC 7516 and RFC 7518 have a recipient do, with OpenSSL's SSKDF (SP 800-56C) as Concat KDF. Nothing if it may
  // not be opened.
  std::optional<std::string> open_by_the_book(const json& jwe, std::string_view apu, std::string_view apv) {
    const ordered_json epk = header(jwe).at("epk");
    const Octets x = decoded(Base64::url, epk.at("x")), y = decoded(Base64::url, epk.at("y"));
    const auto point = crypto::EcPoint::make(crypto::Curve::p521, x, y, "epk");
    EXPECT_TRUE(point);
    crypto::EcSharedSecret z;
    EXPECT_TRUE(crypto::ecdh(broker_.fixture().guest_key(), *point, z));
    const Secret<32> kek = derive(z.expose(), apu, apv);
    crypto::WrappedKey wrapped;
    std::ranges::copy(decoded(Base64::url, jwe.at("encrypted_key")), wrapped.begin());
    const auto cek = crypto::aes256_unwrap(kek, wrapped);
    if (!cek) return std::nullopt;
    std::string aad = jwe.at("protected").get<std::string>();
    if (jwe.contains("aad")) aad += "." + jwe.at("aad").get<std::string>();
    crypto::GcmIv iv;
    std::ranges::copy(decoded(Base64::url, jwe.at("iv")), iv.begin());
    crypto::GcmTag tag;
    std::ranges::copy(decoded(Base64::url, jwe.at("tag")), tag.begin());
    const Octets ciphertext = decoded(Base64::url, jwe.at("ciphertext"));
    Octets plaintext(ciphertext.size());
    if (!crypto::aes256gcm_open(*cek, iv, bytes_of(aad), ciphertext, tag, plaintext)) return std::nullopt;
    return std::string(plaintext.begin(), plaintext.end());
  }
  static Secret<32> derive(Bytes z, std::string_view apu, std::string_view apv) {
    std::string info;
    for (const std::string_view field : {std::string_view("ECDH-ES+A256KW"), apu, apv}) {
      info += std::string("\0\0\0", 3) + static_cast<char>(field.size()) + std::string(field);
    }
    info += std::string("\0\0\1\0", 4);
    EVP_KDF* kdf = EVP_KDF_fetch(openssl::library_context(), "SSKDF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(z.data()), z.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()), OSSL_PARAM_construct_end()};
    Secret<32> kek;
    EXPECT_EQ(EVP_KDF_derive(context, kek.expose_mut().data(), 32, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return kek;
  }

  FaultyBroker broker_{{}};
  TestGuest guest_ = broker_.attested();
  std::string body_;
};

TEST_F(OddJwe, HeadersOfOtherFormsAreSound) {
  const std::string usual = header_text(answer("secret:3"));
  for (const char* kind : {"jwe-header-order", "jwe-header-spaces"}) {
    const json jwe = answer(kind);
    EXPECT_NE(header_text(jwe).substr(0, 8), usual.substr(0, 8)) << kind;
    json sorted = json::parse(header_text(jwe));
    EXPECT_EQ(sorted.size(), 3U);
    EXPECT_EQ(sorted["alg"], "ECDH-ES+A256KW");
    EXPECT_EQ(open_by_the_book(jwe, "", ""), BrokerFixture::kSecret) << kind;
    EXPECT_EQ(broker_.fixture().open_jwe(body_), BrokerFixture::kSecret) << kind;
  }
}

TEST_F(OddJwe, PartyInfoAndAadAreSound) {
  const json apu = answer("jwe-apu");
  EXPECT_EQ(header(apu)["apu"], "QWxpY2U");  // RFC 7518 appendix C has the same party
  EXPECT_EQ(open_by_the_book(apu, "Alice", ""), BrokerFixture::kSecret);
  const json apv = answer("jwe-apv");
  EXPECT_EQ(header(apv)["apv"], "QWxpY2U");
  EXPECT_EQ(open_by_the_book(apv, "", "Alice"), BrokerFixture::kSecret);
  const json aad = answer("jwe-aad");
  EXPECT_TRUE(aad.contains("aad"));
  EXPECT_EQ(open_by_the_book(aad, "", ""), BrokerFixture::kSecret);
}

TEST_F(OddJwe, LengthsAreOffByWhatTheirNameSays) {
  const json usual = answer("secret:3");
  EXPECT_EQ(size(usual, "encrypted_key"), 40U);
  EXPECT_EQ(size(usual, "iv"), 12U);
  EXPECT_EQ(size(answer("jwe-key-short"), "encrypted_key"), 39U);
  EXPECT_EQ(size(answer("jwe-key-long"), "encrypted_key"), 41U);
  EXPECT_EQ(size(answer("jwe-cek-16"), "encrypted_key"), 24U);  // RFC 3394: 8 octets more than the key
  EXPECT_EQ(size(answer("jwe-iv-11"), "iv"), 11U);
  EXPECT_EQ(size(answer("jwe-iv-16"), "iv"), 16U);
}

TEST_F(OddJwe, EphemeralKeysAreWrong) {
  const auto epk = [&](const char* kind) { return header(answer(kind)).at("epk"); };
  const ordered_json shorter = epk("jwe-epk-short");
  EXPECT_EQ(decoded(Base64::url, shorter["x"]).size(), 65U);
  EXPECT_EQ(decoded(Base64::url, shorter["y"]).size(), 65U);
  const ordered_json other = epk("jwe-epk-p256");
  EXPECT_EQ(other["crv"], "P-256");
  const Octets x = decoded(Base64::url, other["x"]), y = decoded(Base64::url, other["y"]);
  const auto on_p256 = crypto::EcPoint::make(crypto::Curve::p256, x, y, "epk");
  ASSERT_TRUE(on_p256);
  EXPECT_TRUE(crypto::ec_check(*on_p256));
  const ordered_json off = epk("jwe-epk-off-curve");
  const Octets off_x = decoded(Base64::url, off["x"]), off_y = decoded(Base64::url, off["y"]);
  const auto point = crypto::EcPoint::make(crypto::Curve::p521, off_x, off_y, "epk");
  ASSERT_TRUE(point);
  EXPECT_FALSE(crypto::ec_check(*point));
}

TEST_F(OddJwe, WithOneBitFlippedItDoesNotOpen) {
  for (const char* kind : {"jwe-tag", "jwe-ciphertext"}) {
    const json jwe = answer(kind);
    EXPECT_EQ(size(jwe, "tag"), 16U);
    EXPECT_EQ(size(jwe, "ciphertext"), BrokerFixture::kSecret.size());
    EXPECT_EQ(open_by_the_book(jwe, "", ""), std::nullopt) << kind;
  }
}

TEST_F(OddJwe, TheAlgorithmIsAnothers) {
  const json jwe = answer("jwe-alg-rsa");
  EXPECT_EQ(header_text(jwe), R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})");
  EXPECT_EQ(size(jwe, "encrypted_key"), 40U);
}

TEST_F(OddJwe, SecretsOfEverySize) {
  for (const std::size_t size : {0U, 1U, 32U, 64U * 1024U, 2U * 1024U * 1024U}) {
    answer("secret:" + std::to_string(size));
    EXPECT_EQ(broker_.fixture().open_jwe(body_).size(), size);
  }
}

TEST_F(OddJwe, AnotherKeysSecretIsNotForThisGuest) {
  const json jwe = answer("jwe-other-key");
  EXPECT_EQ(size(jwe, "encrypted_key"), 40U);
  EXPECT_EQ(open_by_the_book(jwe, "", ""), std::nullopt);
}

}  // namespace
}  // namespace attestbed::kbs
