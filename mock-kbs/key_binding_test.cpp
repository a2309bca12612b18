// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/key_binding.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "mock-kbs/tee_pubkey.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using protocol::Binding;
using protocol::GuestPublicKey;

std::string octets(const json& object, const char* name) {
  std::string out;
  EXPECT_TRUE(posix::from_hex(object.at(name).get<std::string>(), out)) << name;
  return out;
}

struct Vector {
  GuestPublicKey key;
  protocol::Challenge challenge;
  json expected;
  std::string name, svsm_report_data;
};

std::vector<Vector> vectors() {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + "/core/testdata/aproxy-vectors.json");
  std::vector<Vector> all;
  const json cases = json::parse(file).at("cases");
  for (const json& one : cases) {
    const json& key = one.at("guest_key");
    const auto point =
        crypto::EcPoint::make(crypto::Curve::p521, bytes_of(octets(key, "x")), bytes_of(octets(key, "y")), "vector");
    const bool stock = one.at("params") == json({"EcPublicKeyBytes", "Challenge"});
    all.push_back({GuestPublicKey::of(*point), *protocol::Challenge::make(bytes_of(octets(one, "challenge"))),
                   one.at("trustee_binding"), one.at("name").get<std::string>(),
                   stock ? one.at("report_data").get<std::string>() : ""});
  }
  return all;
}

TEST(KeyBinding, IsThatOfEveryVector) {
  ASSERT_GE(vectors().size(), 5U);
  for (const Vector& vector : vectors()) {
    SCOPED_TRACE(vector.name);
    EXPECT_EQ(binding_text(vector.key, vector.challenge), vector.expected.at("jcs"));
    EXPECT_EQ(posix::to_hex(*binding_digest(vector.key, vector.challenge)), vector.expected.at("sha384"));
    EXPECT_EQ(posix::to_hex(*expected_report_data(Binding::kbs_sha384, vector.key, vector.challenge)),
              vector.expected.at("report_data"));
    if (vector.svsm_report_data.empty()) continue;
    EXPECT_EQ(posix::to_hex(*expected_report_data(Binding::svsm_sha512, vector.key, vector.challenge)),
              vector.svsm_report_data);
  }
}

// docs/vectors: made with integers alone, checked with another implementation.
TEST(KeyBinding, IsThatOfEveryKindOfKeyInTheVectors) {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + "/docs/vectors/guest-keys.json");
  const json cases = json::parse(file).at("cases");
  ASSERT_EQ(cases.size(), 3U);
  for (const json& one : cases) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const json jwk = json::parse(one.at("jwk").get<std::string>());
    const auto key = decode_tee_pubkey(*Members::of(jwk, "jwk"));
    ASSERT_TRUE(key) << key.error().text();
    const auto challenge = protocol::Challenge::make(bytes_of(octets(one, "challenge")));
    EXPECT_EQ(binding_text(*key, *challenge), one.at("binding_text"));
    EXPECT_EQ(posix::to_hex(*expected_report_data(Binding::kbs_sha384, *key, *challenge)), one.at("report_data"));
  }
}

// The guest writes the same text with another JSON library.
TEST(KeyBinding, IsTheGuestsForEveryKindOfKey) {
  posix::KernelEntropy entropy;
  crypto::EcKey p256;
  ASSERT_TRUE(p256.generate(crypto::Curve::p256, entropy));
  crypto::RsaPublicKey rsa;
  ASSERT_TRUE(entropy.fill(rsa.n));
  rsa.n.front() |= 0x80;
  rsa.n.back() |= 1;
  const Vector vector = vectors().front();
  for (const GuestPublicKey& key : {vector.key, GuestPublicKey::of(p256.point()), GuestPublicKey::of(rsa)}) {
    ByteArray<protocol::kMaxBindingTextBytes> memory;
    const auto text = protocol::write_binding_text(key, vector.challenge, memory);
    ASSERT_TRUE(text);
    EXPECT_EQ(binding_text(key, vector.challenge), text_of(*text));
    EXPECT_TRUE(check_report_data(*protocol::bind_kbs_sha384(key, vector.challenge), Binding::kbs_sha384, key,
                                  vector.challenge));
  }
}

TEST(KeyBinding, GoesWithTheKeysOfItsRow) {
  posix::KernelEntropy entropy;
  crypto::EcKey p256;
  ASSERT_TRUE(p256.generate(crypto::Curve::p256, entropy));
  const auto refused =
      expected_report_data(Binding::svsm_sha512, GuestPublicKey::of(p256.point()), vectors().front().challenge);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::key_unsupported);
  EXPECT_NE(refused.error().expected.find("svsm-sha512"), std::string::npos);
  EXPECT_EQ(refused.error().found, "P-256");
}

TEST(KeyBinding, NamesTheOtherBindingWhereItIsThat) {
  const Vector vector = vectors().front();
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    const Binding other = binding == Binding::svsm_sha512 ? Binding::kbs_sha384 : Binding::svsm_sha512;
    snp::ReportData found = *expected_report_data(other, vector.key, vector.challenge);
    const auto crossed = check_report_data(found, binding, vector.key, vector.challenge);
    ASSERT_FALSE(crossed);
    EXPECT_EQ(crossed.error().code, Errc::report_data_mismatch);
    EXPECT_NE(crossed.error().expected.find(protocol::binding_name(binding)), std::string::npos);
    EXPECT_NE(crossed.error().found.find(protocol::binding_name(other)), std::string::npos);
    found[0] ^= 1;
    const auto wrong = check_report_data(found, binding, vector.key, vector.challenge);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().found, posix::to_hex(found));
  }
}

}  // namespace
}  // namespace attestbed::kbs
