// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/sha2.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl/vectors.h"

namespace attestbed::crypto {
namespace {

// FIPS 180-4 examples (NIST CSRC, "SHA_All"): one block, two blocks, and the empty message.
struct Example {
  const char* name;
  std::string_view message, sha256, sha384, sha512;
};
constexpr Example kExamples[] = {
    {"Empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f"
     "63b931bd47417a81a538327af927da3e"},
    {"OneBlock", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f"},
    {"TwoBlocks",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433a"
     "c7d329eeb6dd26545e96e55b874be909"},
};

class Sha2 : public testing::TestWithParam<Example> {};

TEST_P(Sha2, AgreesWithFips180) {
  const Bytes message = bytes_of(GetParam().message);
  EXPECT_EQ(hex(*sha256({message})), GetParam().sha256);
  EXPECT_EQ(hex(*sha384({message})), GetParam().sha384);
  EXPECT_EQ(hex(*sha512({message})), GetParam().sha512);
}

TEST_P(Sha2, HashesPartsAsOneMessage) {
  const Bytes message = bytes_of(GetParam().message);
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    const Bytes head = message.first(cut), tail = message.subspan(cut);
    EXPECT_EQ(hex(*sha256({head, Bytes{}, tail})), GetParam().sha256);
    EXPECT_EQ(hex(*sha384({head, Bytes{}, tail})), GetParam().sha384);
    EXPECT_EQ(hex(*sha512({head, Bytes{}, tail})), GetParam().sha512);
  }
}

INSTANTIATE_TEST_SUITE_P(Fips180, Sha2, testing::ValuesIn(kExamples), [](const auto& i) { return i.param.name; });

TEST(Sha2, NoPartsAreTheEmptyMessage) {
  EXPECT_EQ(hex(*sha256({})), kExamples[0].sha256);
  EXPECT_EQ(hex(*sha384({})), kExamples[0].sha384);
  EXPECT_EQ(hex(*sha512({})), kExamples[0].sha512);
}

}  // namespace
}  // namespace attestbed::crypto
