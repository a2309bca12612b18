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

// Primes about B = 0xc0 * 2^1528 + 2^1440, whose multiple of 2^1440 is what the first 96 bits say: found with Python's
// integers, by Fermat and Miller-Rabin. Two of them are above it and near each other, one is below, the last is beside
// B
// + 2^1437.
Octets prime_about(std::uint8_t octet11, std::uint8_t octet12, std::uint8_t filling, std::uint16_t end) {
  Octets octets(kRsaPrimeBytes, filling);
  std::fill_n(octets.begin(), 12, std::uint8_t{0});
  octets[0] = 0xc0;
  octets[11] = octet11;
  octets[12] = octet12;
  octets[190] = static_cast<std::uint8_t>(end >> 8);
  octets[191] = static_cast<std::uint8_t>(end);
  return octets;
}
const Octets kAbove = prime_about(1, 0, 0, 549), kNextAbove = prime_about(1, 0, 0, 843);
const Octets kBelow = prime_about(0, 0xff, 0xff, 0x10000 - 4257), kApart = prime_about(1, 0x20, 0, 1349);

struct Primes {
  const char* name;
  const Octets &p, &q;
  bool apart;
};
std::ostream& operator<<(std::ostream& out, const Primes& primes) {
  return out << primes.name;
}
class TwoPrimes : public testing::TestWithParam<Primes> {};
INSTANTIATE_TEST_SUITE_P(Rsa, TwoPrimes,
                         testing::Values(Primes{"equal", kAbove, kAbove, false},
                                         Primes{"equal in 96 bits", kAbove, kNextAbove, false},
                                         Primes{"and the larger first", kNextAbove, kAbove, false},
                                         Primes{"near, with other first bits", kAbove, kBelow, false},
                                         Primes{"and the smaller first", kBelow, kAbove, false},
                                         Primes{"apart by 2^1437 and 800", kApart, kAbove, true},
                                         Primes{"and the smaller first", kAbove, kApart, true},
                                         Primes{"and with other first bits", kBelow, kApart, true}));

TEST_P(TwoPrimes, AreTakenIfTheyAreApart) {
  ScriptedEntropy entropy{GetParam().p, GetParam().q};
  StillClock clock;
  RsaKey key;
  const Status made = key.generate(entropy, clock, kNever);
  ASSERT_EQ(made.has_value(), GetParam().apart);
  if (GetParam().apart) return;
  EXPECT_EQ(made.error().code, Errc::internal) << "the second prime is refused to the end";
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

// p = 6g + 1 and q = 8g + 1 for g = 2^1533 - 993681, found as the primes above: d is an inverse modulo 24g alone, and
// Python says that it is below 2^1536.
TEST(RsaKeySet, RefusesPrimesOfASmallPrivateExponent) {
  Octets p(kRsaPrimeBytes, 0xff), q(kRsaPrimeBytes, 0xff);
  p.front() = 0xbf;
  const Octets end_of_p = unhex("ffa5069b"), end_of_q = unhex("ff86b379");
  std::ranges::copy(end_of_p, p.end() - 4);
  std::ranges::copy(end_of_q, q.end() - 4);
  RsaKey key;
  const Status refused = key.set(p, q);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_value);
  EXPECT_STREQ(refused.error().where, "RSA.d");
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
