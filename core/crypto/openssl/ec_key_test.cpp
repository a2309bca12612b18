// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/crypto/openssl/vectors.h"

// EcKey::generate with every draw under the test's hand.
namespace attestbed::crypto {
namespace {

// RFC 5903 sections 8.1 and 8.3.
constexpr std::string_view kScalar256 = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
constexpr std::string_view kX256 = "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180";
constexpr std::string_view kScalar521 =
    "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
    "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52";
constexpr std::string_view kX521 =
    "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
    "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e";

TEST(EcKeyGenerate, TakesTheScalarFromEntropy) {
  ScriptedEntropy entropy{unhex(kScalar256)};
  EcKey key;
  ASSERT_TRUE(key.generate(Curve::p256, entropy));
  EXPECT_EQ(hex(key.scalar().expose()), kScalar256);
  EXPECT_EQ(hex(key.point().x()), kX256);
  EXPECT_EQ(entropy.calls(), 1U);
}

TEST(EcKeyGenerate, UsesOnlyTheLowest521Bits) {
  Octets candidate = unhex(kScalar521);
  candidate[0] |= 0xfe;
  ScriptedEntropy entropy{candidate};
  EcKey key;
  ASSERT_TRUE(key.generate(Curve::p521, entropy));
  EXPECT_EQ(hex(key.scalar().expose()), kScalar521);
  EXPECT_EQ(hex(key.point().x()), kX521);
}

TEST(EcKeyGenerate, DrawsAgainWhenTheCandidateIsOutOfRange) {
  ScriptedEntropy entropy{Octets(32, 0xff), Octets(32, 0x00), unhex(kScalar256)};
  EcKey key;
  ASSERT_TRUE(key.generate(Curve::p256, entropy));
  EXPECT_EQ(hex(key.scalar().expose()), kScalar256);
  EXPECT_EQ(entropy.calls(), 3U);
}

struct Broken {
  const char* name;
  Curve curve;
  std::uint8_t octet;
};
class EcKeyBrokenEntropy : public testing::TestWithParam<Broken> {};

TEST_P(EcKeyBrokenEntropy, EndsAfter64Candidates) {
  ScriptedEntropy entropy{Octets(coordinate_bytes(GetParam().curve), GetParam().octet)};
  EcKey key;
  const Status made = key.generate(GetParam().curve, entropy);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::internal);
  EXPECT_EQ(made.error().found, 64U);
  EXPECT_EQ(entropy.calls(), 64U);
  EXPECT_EQ(key.scalar().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sources, EcKeyBrokenEntropy,
                         testing::Values(Broken{"P256AllOnes", Curve::p256, 0xff}, Broken{"P256Zero", Curve::p256, 0},
                                         Broken{"P521AllOnes", Curve::p521, 0xff}, Broken{"P521Zero", Curve::p521, 0}),
                         [](const auto& i) { return i.param.name; });

TEST(EcKeyGenerate, PassesTheErrorOfEntropyOn) {
  ScriptedEntropy entropy{Octets(31, 0x01)};  // not what was asked for, so it fails
  EcKey key;
  const Status made = key.generate(Curve::p256, entropy);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::io_failed);
}

}  // namespace
}  // namespace attestbed::crypto
