// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/guest_key.h"

#include <gtest/gtest.h>

#include "core/posix/describe.h"
#include "core/protocol/binding.h"
#include "core/protocol/guest_keys_fixture.h"

// The binding texts, to the octet: those of the recorded cases for P-521, of docs/vectors for every kind of key.
namespace attestbed::protocol {
namespace {

std::string binding_text(const GuestPublicKey& key, const Challenge& challenge) {
  ByteArray<kMaxBindingTextBytes> memory;
  const auto text = write_binding_text(key, challenge, memory);
  return text ? std::string(text_of(*text)) : error_name(text.error().code);
}

TEST(KbsBinding, IsTrusteesForEveryRecordedCase) {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json");
  const json all = json::parse(file);
  ASSERT_EQ(all.at("cases").size(), 5U);
  for (const json& recorded : all.at("cases")) {
    SCOPED_TRACE(recorded.at("name").get<std::string>());
    const auto key = GuestPublicKey::of(*crypto::EcPoint::make(crypto::Curve::p521, octets_of(recorded, "/guest_key/x"),
                                                               octets_of(recorded, "/guest_key/y"), "vector"));
    const auto challenge = Challenge::make(octets_of(recorded, "/challenge"));
    ASSERT_TRUE(challenge);
    const json& trustee = recorded.at("trustee_binding");
    EXPECT_EQ(binding_text(key, *challenge), trustee.at("jcs").get<std::string>());
    const auto report_data = bind(Binding::kbs_sha384, key, *challenge);
    ASSERT_TRUE(report_data);
    EXPECT_EQ(posix::to_hex(*report_data), trustee.at("report_data").get<std::string>());
  }
}

TEST(KbsBinding, IsThatOfTheVectorsForEveryKindOfKey) {
  ASSERT_EQ(guest_key_cases().size(), 3U);
  for (const json& guest_case : guest_key_cases()) {
    SCOPED_TRACE(guest_case.at("name").get<std::string>());
    const GuestPublicKey key = public_key_of(guest_case);
    const auto challenge = Challenge::make(octets_of(guest_case, "/challenge"));
    ASSERT_TRUE(challenge);
    EXPECT_EQ(binding_text(key, *challenge), guest_case.at("binding_text").get<std::string>());
    EXPECT_EQ(posix::to_hex(*bind(Binding::kbs_sha384, key, *challenge)),
              guest_case.at("report_data").get<std::string>());
  }
}

TEST(KbsBinding, TheLongestTextFits) {
  const auto challenge = Challenge::make(crypto::Octets(kMaxChallengeBytes, 0xff));
  const std::string text = binding_text(public_key_of(guest_key_cases().at(2)), *challenge);
  EXPECT_EQ(text.size(), 703U);
  EXPECT_LE(text.size(), kMaxBindingTextBytes);
  ByteArray<702> tight;
  EXPECT_EQ(write_binding_text(public_key_of(guest_key_cases().at(2)), *challenge, tight).error().code, Errc::no_space);
}

TEST(SvsmBinding, TakesNoOtherKeyThanP521) {
  const auto challenge = Challenge::make(crypto::Octets(32, 1));
  EXPECT_TRUE(bind(Binding::svsm_sha512, public_key_of(guest_key_cases().at(0)), *challenge));
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
    EXPECT_EQ(bind(Binding::svsm_sha512, public_key_of(guest_key_cases().at(other)), *challenge).error().code,
              Errc::bad_config);
  }
}

TEST(GuestKey, ThePrivateHalvesOfTheVectorsGiveTheirPublicOnes) {
  for (const json& guest_case : guest_key_cases()) {
    GuestKey key;
    ASSERT_TRUE(set_key(guest_case, key));
    EXPECT_EQ(key.public_key(), public_key_of(guest_case)) << guest_case.at("name");
    ByteArray<640> memory;
    Writer out(memory);
    JsonWriter json_out(out);
    write_jwk(json_out, key.public_key());
    const auto jwk = out.finish("test");
    ASSERT_TRUE(jwk);
    EXPECT_EQ(text_of(*jwk), guest_case.at("jwk").get<std::string>());
    EXPECT_LE(jwk->size(), 600U);
  }
}

}  // namespace
}  // namespace attestbed::protocol
