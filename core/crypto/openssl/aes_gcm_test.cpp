// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aes_gcm.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl/vectors.h"

namespace attestbed::crypto {
namespace {

// D. McGrew and J. Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test cases 13 to 16 (AES-256).
struct Case {
  const char* name;
  std::string_view key, iv, aad, plaintext, ciphertext, tag;
};
constexpr Case kCases[] = {
    {"Case13Empty", "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"Case14OneBlock", "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"Case15FourBlocks", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"Case16WithAad", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

struct Box {
  Secret<32> key;
  GcmIv iv;
  Octets aad, plaintext, ciphertext;
  GcmTag tag;
  explicit Box(const Case& c)
      : key(unhex_secret<32>(c.key)),
        iv(unhex_array<12>(c.iv)),
        aad(unhex(c.aad)),
        plaintext(unhex(c.plaintext)),
        ciphertext(unhex(c.ciphertext)),
        tag(unhex_array<16>(c.tag)) {}
};

class AesGcm : public testing::TestWithParam<Case> {};

TEST_P(AesGcm, SealsAsTheSpecificationSays) {
  const Box box(GetParam());
  Octets out(box.plaintext.size());
  const Result<GcmTag> tag = aes256gcm_seal(box.key, box.iv, box.aad, box.plaintext, out);
  ASSERT_TRUE(tag);
  EXPECT_EQ(hex(out), GetParam().ciphertext);
  EXPECT_EQ(hex(*tag), GetParam().tag);
}

TEST_P(AesGcm, OpensAsTheSpecificationSays) {
  const Box box(GetParam());
  Octets out(box.ciphertext.size());
  ASSERT_TRUE(aes256gcm_open(box.key, box.iv, box.aad, box.ciphertext, box.tag, out));
  EXPECT_EQ(hex(out), GetParam().plaintext);
}

TEST_P(AesGcm, WorksInPlace) {
  const Box box(GetParam());
  Octets memory = box.plaintext;
  const Result<GcmTag> tag = aes256gcm_seal(box.key, box.iv, box.aad, memory, memory);
  ASSERT_TRUE(tag);
  EXPECT_EQ(hex(memory), GetParam().ciphertext);
  ASSERT_TRUE(aes256gcm_open(box.key, box.iv, box.aad, memory, *tag, memory));
  EXPECT_EQ(hex(memory), GetParam().plaintext);
}

TEST_P(AesGcm, RefusesEveryFlippedBitOfTheTagAndWipesTheOutput) {
  const Box box(GetParam());
  for (std::size_t bit = 0; bit < 8 * box.tag.size(); ++bit) {
    GcmTag tag = box.tag;
    tag[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    Octets out(box.ciphertext.size(), 0xaa);
    const Status opened = aes256gcm_open(box.key, box.iv, box.aad, box.ciphertext, tag, out);
    ASSERT_FALSE(opened) << "bit " << bit;
    EXPECT_EQ(opened.error().code, Errc::tag_failed);
    EXPECT_EQ(out, Octets(out.size(), 0));
  }
}

INSTANTIATE_TEST_SUITE_P(McGrewViega, AesGcm, testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });

enum class Part { key, iv, aad, ciphertext };
class AesGcmRejects : public testing::TestWithParam<std::pair<const char*, Part>> {};

TEST_P(AesGcmRejects, OneFlippedBit) {
  Box box(kCases[3]);
  switch (GetParam().second) {
    case Part::key:
      box.key.expose_mut()[31] ^= 0x01;
      break;
    case Part::iv:
      box.iv[11] ^= 0x80;
      break;
    case Part::aad:
      box.aad[0] ^= 0x01;
      break;
    case Part::ciphertext:
      box.ciphertext.back() ^= 0x01;
      break;
  }
  Octets memory = box.ciphertext;
  const Status opened = aes256gcm_open(box.key, box.iv, box.aad, memory, box.tag, memory);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::tag_failed);
  EXPECT_EQ(memory, Octets(memory.size(), 0)) << "in place: neither ciphertext nor plaintext may stay";
}

INSTANTIATE_TEST_SUITE_P(EachInput, AesGcmRejects,
                         testing::Values(std::pair{"Key", Part::key}, std::pair{"Iv", Part::iv},
                                         std::pair{"Aad", Part::aad}, std::pair{"Ciphertext", Part::ciphertext}),
                         [](const auto& i) { return i.param.first; });

TEST(AesGcmLengths, OutputMustBeAsLongAsInput) {
  const Box box(kCases[3]);
  for (const std::size_t size : {box.plaintext.size() - 1, box.plaintext.size() + 1}) {
    Octets out(size, 0xaa);
    const Result<GcmTag> sealed = aes256gcm_seal(box.key, box.iv, box.aad, box.plaintext, out);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().code, Errc::bad_length);
    EXPECT_EQ(sealed.error().found, size);
    EXPECT_EQ(sealed.error().expected, box.plaintext.size());
    const Status opened = aes256gcm_open(box.key, box.iv, box.aad, box.ciphertext, box.tag, out);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::bad_length);
  }
}

TEST(AesGcmLengths, TruncatedCiphertextIsRefused) {
  const Box box(kCases[3]);
  for (std::size_t size = 0; size < box.ciphertext.size(); ++size) {
    Octets out(size);
    const Status opened = aes256gcm_open(box.key, box.iv, box.aad, Bytes(box.ciphertext).first(size), box.tag, out);
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, Errc::tag_failed);
  }
}

}  // namespace
}  // namespace attestbed::crypto
