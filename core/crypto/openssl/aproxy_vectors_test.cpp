// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/concat_kdf.h"
#include "core/crypto/openssl/vectors.h"
#include "core/crypto/sha2.h"

// Every step of the exchange alone, against values that three other implementations agreed on (core/testdata).
namespace attestbed::crypto {
namespace {

const nlohmann::json& vectors() {
  static const nlohmann::json parsed =
      nlohmann::json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
  return parsed;
}

std::string text(const nlohmann::json& object, const char* name) {
  return object.at(name).get<std::string>();
}

class AproxyCrypto : public testing::TestWithParam<std::size_t> {
 protected:
  const nlohmann::json& v() const { return vectors().at("cases").at(GetParam()); }
};

TEST_P(AproxyCrypto, KeysAreTheScalarsPoints) {
  for (const char* which : {"guest_key", "epk"}) {
    EcKey key;
    ASSERT_TRUE(key.set(Curve::p521, unhex(text(v().at(which), "d"))));
    EXPECT_EQ(hex(key.point().x()), text(v().at(which), "x"));
    EXPECT_EQ(hex(key.point().y()), text(v().at(which), "y"));
  }
}

TEST_P(AproxyCrypto, SharedSecretIsTheSameFromBothSides) {
  for (const auto& [own, peer] : {std::pair{"guest_key", "epk"}, std::pair{"epk", "guest_key"}}) {
    EcKey key;
    ASSERT_TRUE(key.set(Curve::p521, unhex(text(v().at(own), "d"))));
    EcSharedSecret z;
    ASSERT_TRUE(ecdh(key, unhex_point(Curve::p521, text(v().at(peer), "x"), text(v().at(peer), "y")), z));
    EXPECT_EQ(hex(z.expose()), text(v(), "z"));
  }
}

TEST_P(AproxyCrypto, KekComesFromZ) {
  const Result<Secret<32>> kek = ecdh_es_a256kw_kek(unhex(text(v(), "z")));
  ASSERT_TRUE(kek);
  EXPECT_EQ(hex(kek->expose()), text(v(), "kek"));
  EXPECT_EQ(hex(*sha256({unhex(text(v(), "kdf_hash_input"))})), text(v(), "kek"));
}

TEST_P(AproxyCrypto, ContentKeyUnwrapsAndWraps) {
  const Secret<32> kek = unhex_secret<32>(text(v(), "kek"));
  const Result<Secret<32>> cek = aes256_unwrap(kek, unhex_array<40>(text(v(), "wrapped_cek")));
  ASSERT_TRUE(cek);
  EXPECT_EQ(hex(cek->expose()), text(v(), "cek"));
  const Result<WrappedKey> wrapped = aes256_wrap(kek, *cek);
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(hex(*wrapped), text(v(), "wrapped_cek"));
}

TEST_P(AproxyCrypto, SecretOpensAndSeals) {
  const Secret<32> cek = unhex_secret<32>(text(v(), "cek"));
  const GcmIv iv = unhex_array<12>(text(v(), "iv"));
  const Octets aad = unhex(text(v(), "aad"));
  Octets octets = unhex(text(v(), "ciphertext"));
  ASSERT_TRUE(aes256gcm_open(cek, iv, aad, octets, unhex_array<16>(text(v(), "tag")), octets));
  EXPECT_EQ(hex(octets), text(v(), "plaintext"));
  const Result<GcmTag> tag = aes256gcm_seal(cek, iv, aad, octets, octets);
  ASSERT_TRUE(tag);
  EXPECT_EQ(hex(octets), text(v(), "ciphertext"));
  EXPECT_EQ(hex(*tag), text(v(), "tag"));
}

TEST_P(AproxyCrypto, ReportDataIsTheHashOfItsPreimage) {
  EXPECT_EQ(hex(*sha512({unhex(text(v(), "report_data_preimage"))})), text(v(), "report_data"));
}

TEST_P(AproxyCrypto, TrusteeBindingIsSha384OfItsText) {
  const nlohmann::json& binding = v().at("trustee_binding");
  EXPECT_EQ(hex(*sha384({bytes_of(text(binding, "jcs"))})), text(binding, "sha384"));
}

INSTANTIATE_TEST_SUITE_P(Cases, AproxyCrypto, testing::Range(std::size_t{0}, vectors().at("cases").size()),
                         [](const auto& i) {
                           std::string name = text(vectors().at("cases").at(i.param), "name");
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(AproxyVectors, HoldTheCasesThatWeKnow) {
  EXPECT_EQ(vectors().at("cases").size(), 5U);
}

}  // namespace
}  // namespace attestbed::crypto
