// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aes_key_wrap.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl/vectors.h"

namespace attestbed::crypto {
namespace {

// RFC 3394 section 4.6: 256 bits of key data with a 256-bit KEK.
constexpr std::string_view kKek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kKey = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kWrapped =
    "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";

TEST(AesKeyWrap, WrapsAsRfc3394Says) {
  const Result<WrappedKey> wrapped = aes256_wrap(unhex_secret<32>(kKek), unhex_secret<32>(kKey));
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(hex(*wrapped), kWrapped);
}

TEST(AesKeyWrap, UnwrapsAsRfc3394Says) {
  const Result<Secret<32>> key = aes256_unwrap(unhex_secret<32>(kKek), unhex_array<40>(kWrapped));
  ASSERT_TRUE(key);
  EXPECT_EQ(hex(key->expose()), kKey);
}

TEST(AesKeyWrap, RefusesEveryFlippedBit) {
  const Secret<32> kek = unhex_secret<32>(kKek);
  const WrappedKey good = unhex_array<40>(kWrapped);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    WrappedKey wrapped = good;
    wrapped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const Result<Secret<32>> key = aes256_unwrap(kek, wrapped);
    ASSERT_FALSE(key) << "bit " << bit;
    EXPECT_EQ(key.error().code, Errc::unwrap_failed);
  }
}

TEST(AesKeyWrap, RefusesAnotherKek) {
  Secret<32> kek = unhex_secret<32>(kKek);
  kek.expose_mut()[0] ^= 0x01;
  const Result<Secret<32>> key = aes256_unwrap(kek, unhex_array<40>(kWrapped));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::unwrap_failed);
}

}  // namespace
}  // namespace attestbed::crypto
