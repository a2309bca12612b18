// SPDX-License-Identifier: Apache-2.0
#include "core/attest_fixture.h"
#include "core/crypto/openssl/vectors.h"

// attest() with every pair of binding and key that exists.
namespace attestbed {
namespace {

using protocol::Binding;
using protocol::KeyType;

struct Pair {
  const char* name;
  Binding binding;
  KeyType key;
};
constexpr Pair kPairs[] = {{"SvsmP521", Binding::svsm_sha512, KeyType::p521},
                           {"KbsP521", Binding::kbs_sha384, KeyType::p521},
                           {"KbsP256", Binding::kbs_sha384, KeyType::p256},
                           {"KbsRsa", Binding::kbs_sha384, KeyType::rsa3072}};

std::string decoded(const json& text) {
  std::string octets = text;
  const MutBytes span(reinterpret_cast<std::uint8_t*>(octets.data()), octets.size());
  return std::string(text_of(*base64_decode(Base64::standard, span, span, "test")));
}

// What the host must have been able to rebuild from what it was sent: nlohmann sorts members as RFC 8785 does.
std::string expected_report_data(const Pair& pair, const json& request) {
  const json& key = request["key"];
  const auto url = [&key](const char* name) { return base64(Base64::url, bytes_of(decoded(key[name]))); };
  if (pair.binding == Binding::svsm_sha512) {
    const std::string x = decoded(key["x"]), y = decoded(key["y"]), challenge = decoded(request["challenge"]);
    return posix::to_hex(*crypto::sha512({bytes_of(x), bytes_of(y), bytes_of(challenge)}));
  }
  json jwk = {{"kty", "EC"}, {"alg", "ECDH-ES+A256KW"}, {"crv", pair.key == KeyType::p256 ? "P-256" : "P-521"}};
  if (pair.key == KeyType::rsa3072) {
    jwk = {{"kty", "RSA"}, {"alg", "RSA-OAEP-256"}, {"n", url("n")}, {"e", url("e")}};
  } else {
    jwk.update({{"x", url("x")}, {"y", url("y")}});
  }
  const json text = {{"tee-pubkey", jwk}, {"nonce", request["challenge"]}, {"additional-evidence", ""}};
  return posix::to_hex(*crypto::sha384({bytes_of(text.dump())})) + std::string(32, '0');
}

class AttestPair : public AttestTest, public testing::WithParamInterface<Pair> {
 protected:
  void SetUp() override {
    config_.terms.binding = GetParam().binding;
    config_.terms.key = GetParam().key;
  }
  Result<Released> run() { return attest({host_, reports_, random_, clock_}, config_, *workspace_); }
  crypto::LabelledEntropy random_{"attestbed RSA key"};
};

TEST_P(AttestPair, ReleasesTheSecretAndBindsWhatItSends) {
  const auto released = run();
  ASSERT_TRUE(released) << posix::describe(released.error());
  EXPECT_EQ(text_of(released->secret), "the secret");
  ASSERT_EQ(host_.received.size(), 2U);
  EXPECT_EQ(host_.received[0].contains("ext"), GetParam().binding != Binding::svsm_sha512);
  ASSERT_EQ(reports_.asked.size(), 1U);
  EXPECT_EQ(posix::to_hex(reports_.asked[0]), expected_report_data(GetParam(), host_.received[1]));
}

TEST_P(AttestPair, OpensNothingThatWasSealedForAnotherKindOfKey) {
  host_.change_answer = [](json& m) {
    json& d = m["decryption"];
    if (d.contains("epk")) {
      d.erase("epk");
      d["wrapped_cek"] = base64(Base64::standard, ByteArray<384>{});
    } else {
      const std::string zeros = base64(Base64::standard, ByteArray<66>{});
      d["epk"] = {{"x", zeros}, {"y", zeros}};
    }
  };
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(error_row(refused.error().code).guest_exit, 5) << error_name(refused.error().code);
}

INSTANTIATE_TEST_SUITE_P(Table, AttestPair, testing::ValuesIn(kPairs), [](const auto& row) { return row.param.name; });

class TickingClock final : public Clock {
 public:
  Instant now() override { return at += std::chrono::milliseconds(1); }
  void wait_until(Instant until) override { at = until; }
  Instant at{};
};

class Counted final : public crypto::KeyProgress {
 public:
  void searched(std::size_t candidates, int) override { last = candidates; }
  std::size_t last = 0;
};

TEST_F(AttestTest, TheDeadlineEndsTheSearchForAnRsaKey) {
  config_.terms = {.binding = Binding::kbs_sha384, .key = KeyType::rsa3072, .resource = {}};
  config_.budget = std::chrono::milliseconds(20);
  TickingClock clock;
  crypto::LabelledEntropy random("attestbed RSA key");
  Counted progress;
  const auto ended = attest({host_, reports_, random, clock}, config_, *workspace_, &progress);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::deadline);
  EXPECT_STREQ(ended.error().where, "RSA key creation");
  EXPECT_GT(progress.last, 10U);
  EXPECT_LT(progress.last, 20U);
  EXPECT_TRUE(host_.received.empty()) << "nothing left the guest";
}

}  // namespace
}  // namespace attestbed
