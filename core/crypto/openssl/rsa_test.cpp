// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/rsa.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/crypto/openssl/vectors.h"

// The case RSA-3072 of docs/vectors/guest-keys.json, which was made with integers in Python and judged by another
// program's OpenSSL.
namespace attestbed::crypto {
namespace {

using nlohmann::json;

const json& vector() {
  static const json& found = []() -> const json& {
    std::ifstream file(ATTESTBED_SOURCE_DIR "/docs/vectors/guest-keys.json");
    static const json all = json::parse(file);
    return all.at("cases").at(2);
  }();
  return found;
}
std::string_view text(const json& object, const char* name) {
  return object.at(name).get_ref<const std::string&>();
}
std::string_view key_text(const char* name) {
  return text(vector().at("guest_key"), name);
}

class StillClock final : public Clock {
 public:
  Instant now() override { return at += step; }
  void wait_until(Instant until) override { at = until; }
  Instant at{};
  std::chrono::milliseconds step{0};
};

class Heard final : public KeyProgress {
 public:
  void searched(std::size_t candidates, int primes) override {
    EXPECT_EQ(candidates, last_candidates + 1);
    EXPECT_GE(primes, last_primes);
    last_candidates = candidates;
    last_primes = primes;
  }
  std::size_t last_candidates = 0;
  int last_primes = 0;
};

void expect_key_of_the_vector(const RsaKey& key) {
  EXPECT_EQ(hex(key.public_key().n), key_text("n"));
  EXPECT_EQ(hex(key.parts().p.expose()), key_text("p"));
  EXPECT_EQ(hex(key.parts().q.expose()), key_text("q"));
  EXPECT_EQ(hex(key.parts().d.expose()), key_text("d"));
  EXPECT_EQ(hex(key.parts().dp.expose()), key_text("dp"));
  EXPECT_EQ(hex(key.parts().dq.expose()), key_text("dq"));
  EXPECT_EQ(hex(key.parts().qinv.expose()), key_text("qinv"));
}

TEST(RsaKeyGenerate, FindsThePrimesThatAnotherSearchFoundInTheSameEntropy) {
  LabelledEntropy entropy{std::string(key_text("entropy_label"))};
  StillClock clock;
  Heard heard;
  RsaKey key;
  ASSERT_TRUE(key.generate(entropy, clock, kNever, &heard));
  expect_key_of_the_vector(key);
  EXPECT_EQ(heard.last_primes, 2);
  EXPECT_GT(heard.last_candidates, 2U);
}

TEST(RsaKeyGenerate, EndsBetweenTwoCandidatesOnceTheDeadlineHasPassed) {
  LabelledEntropy entropy{std::string(key_text("entropy_label"))};
  StillClock clock;
  clock.step = std::chrono::milliseconds(1);
  Heard heard;
  RsaKey key;
  const Status made = key.generate(entropy, clock, clock.at + std::chrono::milliseconds(6), &heard);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::deadline);
  EXPECT_EQ(heard.last_candidates, 5U) << "the sixth look at the clock finds the deadline passed";
}

TEST(RsaKeyGenerate, EndsIfTheEntropyHoldsNoPrime) {
  ScriptedEntropy entropy{Octets(kRsaPrimeBytes, 0xff)};  // 2^1536 - 1 is a multiple of 3
  StillClock clock;
  RsaKey key;
  const Status made = key.generate(entropy, clock, kNever);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::internal);
  EXPECT_EQ(made.error().found, 30720U);
  EXPECT_EQ(entropy.calls(), 30720U);
}

TEST(RsaKeyGenerate, NeverTakesTwoPrimesThatAreNear) {
  Octets near = unhex(key_text("p"));
  near[20] ^= 1;  // far below the first 96 bits
  ScriptedEntropy entropy{unhex(key_text("p")), near, unhex(key_text("p"))};
  StillClock clock;
  RsaKey key;
  const Status made = key.generate(entropy, clock, kNever);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::internal);
}

TEST(RsaKeyGenerate, SetsTheTwoTopBitsAndTheLowestOne) {
  Octets p = unhex(key_text("p")), q = unhex(key_text("q"));
  for (Octets* prime : {&p, &q}) {
    prime->front() &= 0x3f;
    prime->back() &= 0xfe;
  }
  ScriptedEntropy entropy{p, q};
  StillClock clock;
  RsaKey key;
  ASSERT_TRUE(key.generate(entropy, clock, kNever));
  expect_key_of_the_vector(key);
  EXPECT_EQ(entropy.calls(), 2U);
}

TEST(RsaKeyGenerate, PassesTheErrorOfEntropyOn) {
  ScriptedEntropy entropy{Octets(31, 0x01)};
  StillClock clock;
  RsaKey key;
  EXPECT_EQ(key.generate(entropy, clock, kNever).error().code, Errc::io_failed);
}

TEST(RsaKeySet, RefusesWhatMakesNoKeyOf3072Bits) {
  RsaKey key;
  ASSERT_TRUE(key.set(unhex(key_text("p")), unhex(key_text("q"))));
  expect_key_of_the_vector(key);
  EXPECT_EQ(key.set(Octets(191, 0xff), unhex(key_text("q"))).error().code, Errc::bad_length);
  EXPECT_EQ(key.set(unhex(key_text("p")), Octets(193, 0xff)).error().code, Errc::bad_length);
  Octets small(kRsaPrimeBytes, 0);
  small.back() = 3;
  EXPECT_EQ(key.set(unhex(key_text("p")), small).error().code, Errc::bad_value) << "too few bits";
  EXPECT_EQ(key.set(unhex(key_text("p")), unhex(key_text("p"))).error().code, Errc::bad_value) << "no inverse of q";
}

struct Public {
  const char* name;
  void (*change)(Octets& n, Octets& e);
  Errc code;
};
class RsaPublicKeyRefuses : public testing::TestWithParam<Public> {};
TEST_P(RsaPublicKeyRefuses, OneThingWrong) {
  Octets n = unhex(key_text("n")), e = unhex("010001");
  ASSERT_TRUE(RsaPublicKey::make(n, e, "key"));
  GetParam().change(n, e);
  const auto made = RsaPublicKey::make(n, e, "key");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, GetParam().code);
  EXPECT_STREQ(made.error().where, "key");
}
INSTANTIATE_TEST_SUITE_P(
    Table, RsaPublicKeyRefuses,
    testing::Values(Public{"Even", [](Octets& n, Octets&) { n.back() &= 0xfe; }, Errc::bad_value},
                    Public{"TopBitClear", [](Octets& n, Octets&) { n.front() &= 0x7f; }, Errc::bad_value},
                    Public{"Short", [](Octets& n, Octets&) { n.erase(n.begin()); }, Errc::bad_length},
                    Public{"Padded", [](Octets& n, Octets&) { n.insert(n.begin(), 0); }, Errc::bad_length},
                    Public{"Of4096Bits", [](Octets& n, Octets&) { n.resize(512, 1); }, Errc::bad_length},
                    Public{"Empty", [](Octets& n, Octets&) { n.clear(); }, Errc::bad_length},
                    Public{"ExponentThree", [](Octets&, Octets& e) { e = {3}; }, Errc::bad_length},
                    Public{"ExponentPadded",
                           [](Octets&, Octets& e) {
                             e = {0, 1, 0, 1};
                           },
                           Errc::bad_length},
                    Public{"ExponentOther",
                           [](Octets&, Octets& e) {
                             e = {1, 0, 3};
                           },
                           Errc::bad_value},
                    Public{"ExponentEmpty", [](Octets&, Octets& e) { e.clear(); }, Errc::bad_length}),
    [](const auto& row) { return row.param.name; });

class Oaep : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(key_.set(unhex(key_text("p")), unhex(key_text("q")))); }
  RsaKey key_;
};

TEST_F(Oaep, OpensTheVector) {
  const auto cek = rsa_oaep_sha256_open(key_, unhex_array<384>(text(vector(), "wrapped_cek")));
  ASSERT_TRUE(cek);
  EXPECT_EQ(hex(cek->expose()), text(vector(), "cek"));
}

TEST_F(Oaep, RefusesEverythingElseAlike) {
  const json& refused = vector().at("refused_wrapped_cek");
  ASSERT_EQ(refused.size(), 7U);
  for (const auto& [why, wrapped] : refused.items()) {
    const auto opened = rsa_oaep_sha256_open(key_, unhex_array<384>(wrapped.get_ref<const std::string&>()));
    ASSERT_FALSE(opened) << why;
    EXPECT_EQ(opened.error().code, Errc::unwrap_failed) << why;
    EXPECT_EQ(opened.error().found, 0U) << why << ": the refusal says no more than the others";
  }
}

TEST_F(Oaep, SealsAnewEachTime) {
  const auto cek = unhex_secret<32>(text(vector(), "cek"));
  const auto one = rsa_oaep_sha256_seal(key_.public_key(), cek), two = rsa_oaep_sha256_seal(key_.public_key(), cek);
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  const auto opened = rsa_oaep_sha256_open(key_, *one);
  ASSERT_TRUE(opened);
  EXPECT_EQ(hex(opened->expose()), text(vector(), "cek"));
}

}  // namespace
}  // namespace attestbed::crypto
