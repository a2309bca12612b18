// SPDX-License-Identifier: Apache-2.0
#include "sim/id_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "core/posix/describe.h"
#include "sim/guest_image.h"
#include "sim/launch.h"
#include "sim/seeded_entropy.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kPolicy = 0x30000;

std::string octets_of_file(const char* name) {
  return *posix::read_file(std::string(ATTESTBED_SOURCE_DIR "/sim/testdata/") + name, 1 << 16);
}

/// The block of another maker (testdata/README.md), and the measurement it was made for.
SignedIdBlock foreign() {
  const std::string block = octets_of_file("ssm-id-block.bin"), auth = octets_of_file("ssm-id-auth.bin");
  return {*parse_id_block(bytes_of(block)), *parse_id_auth(bytes_of(auth)), true};
}
snp::Measurement foreign_measurement() {
  snp::Measurement measurement;
  for (std::size_t i = 0; i < measurement.size(); ++i) measurement[i] = static_cast<std::uint8_t>(i);
  return measurement;
}

TEST(IdBlock, OfAnotherMakerPassesAndItsKeysHaveTheDigestsThatItPrinted) {
  const SignedIdBlock given = foreign();
  ASSERT_TRUE(check_reserved(given));
  const auto digests = check_id_block(given, foreign_measurement(), kPolicy);
  ASSERT_TRUE(digests);
  EXPECT_EQ(posix::to_hex(digests->id_key),
            "c31d228d6b659efba0e0807029faa16a2652ee130d6f3e1c899046dfa7a71e7d984434a462079139859b3b88a0bac9be");
  ASSERT_TRUE(digests->author_key);
  EXPECT_EQ(posix::to_hex(*digests->author_key),
            "045ad8fa8aa8551c6b30d03cc38c5c2a43628c29e27ce49d0ec08edebfb926e90bbaf8e9f03e395f07f97433c924c3d5");
}

TEST(IdBlock, HasOneLength) {
  const std::string block = octets_of_file("ssm-id-block.bin"), auth = octets_of_file("ssm-id-auth.bin");
  for (std::size_t size = 0; size < block.size(); ++size) {
    const auto parsed = parse_id_block(bytes_of(block).first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, Errc::bad_length);
    EXPECT_EQ(parsed.error().found, size);
    EXPECT_EQ(parsed.error().expected, 96U);
  }
  for (std::size_t size = 0; size < auth.size(); ++size) EXPECT_FALSE(parse_id_auth(bytes_of(auth).first(size)));
  EXPECT_FALSE(parse_id_block(bytes_of(block + '\0')));
  EXPECT_FALSE(parse_id_auth(bytes_of(auth + '\0')));
}

bool accepted(const SignedIdBlock& given) {
  return check_reserved(given) && check_id_block(given, foreign_measurement(), kPolicy);
}

TEST(IdBlock, EverySingleFlippedBitIsRefusedIfTheAuthorKeyCounts) {
  const SignedIdBlock good = foreign();
  ASSERT_TRUE(accepted(good));
  SignedIdBlock changed = good;
  const auto flip_each = [&](std::uint8_t* octets, std::size_t size, const char* what) {
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      octets[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_FALSE(accepted(changed)) << what << " bit " << bit;
      octets[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
  };
  flip_each(reinterpret_cast<std::uint8_t*>(&changed.block), sizeof changed.block, "ID_BLOCK");
  flip_each(reinterpret_cast<std::uint8_t*>(&changed.auth), sizeof changed.auth, "ID_AUTH");
}

TEST(IdBlock, WithoutAuthorKeyItsHalfOfIdAuthChangesNothing) {
  SignedIdBlock given = foreign();
  given.author_key_enabled = false;
  const auto plain = check_id_block(given, foreign_measurement(), kPolicy);
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->author_key);
  given.auth.author_key_algo = 0x5a5a5a5a;
  std::ranges::fill(given.auth.id_key_sig.r, std::uint8_t{0x5a});
  std::ranges::fill(given.auth.id_key_sig.reserved, std::uint8_t{0x5a});
  given.auth.author_key.curve = 0x5a5a5a5a;
  std::ranges::fill(given.auth.author_key.qx, std::uint8_t{0x5a});
  std::ranges::fill(given.auth.author_key.reserved, std::uint8_t{0x5a});
  ASSERT_TRUE(check_reserved(given));
  const auto other = check_id_block(given, foreign_measurement(), kPolicy);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->id_key, plain->id_key);
  EXPECT_FALSE(other->author_key);
}

class LaunchFinishing : public testing::Test {
 protected:
  static const Machine& machine() {
    static const Machine instance = Machine::of(
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan)));
    return instance;
  }
  static const SigningKey& key(const char* label) {
    static const auto context = *CryptoContext::make(7);
    static const SigningKey id_key = *SigningKey::make_p384(context, "id key", {});
    static const SigningKey author_key = *SigningKey::make_p384(context, "author key", {});
    return std::string_view(label) == "id" ? id_key : author_key;
  }
  Launch started() {
    Launch launch = *Launch::start(machine(), kPolicy, entropy_);
    EXPECT_TRUE(launch.update({PageType::zero, 0x1000, {}, {}}));
    return launch;
  }
  static IdBlock block() {
    IdBlock made{};
    made.launch_digest = *measure({{PageType::zero, 0x1000, {}, {}}});
    made.family_id.fill(0xfa);
    made.image_id.fill(0x1a);
    made.version = kIdBlockVersion;
    made.guest_svn = 42;
    made.policy = kPolicy;
    return made;
  }
  SeededEntropy entropy_{1, "launch finish test"};
};

TEST_F(LaunchFinishing, TakesOverWhatTheOwnerSigned) {
  Launch launch = started();
  const auto guest = launch.try_finish({HostData{1, 2, 3}, true, *make_id_block(block(), key("id"), &key("author"))});
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->measurement, block().launch_digest);
  EXPECT_EQ(guest->family_id, block().family_id);
  EXPECT_EQ(guest->image_id, block().image_id);
  EXPECT_EQ(guest->guest_svn, 42U);
  EXPECT_EQ(guest->host_data, (HostData{1, 2, 3}));
  EXPECT_TRUE(guest->vcek_disabled);
  EXPECT_TRUE(guest->author_key_enabled);
  EXPECT_EQ(guest->id_key_digest, *digest_of(*launch_key_of(key("id"))));
  EXPECT_EQ(guest->author_key_digest, *digest_of(*launch_key_of(key("author"))));
  EXPECT_NE(guest->id_key_digest, guest->author_key_digest);
}

TEST_F(LaunchFinishing, ShowsNoAuthorWithoutOneAndNoOwnerWithoutAnIdBlock) {
  Launch first = started(), second = started();
  const auto owned = first.try_finish({{}, false, *make_id_block(block(), key("id"), nullptr)});
  ASSERT_TRUE(owned);
  EXPECT_FALSE(owned->author_key_enabled);
  EXPECT_EQ(owned->author_key_digest, KeyDigest{});
  EXPECT_NE(owned->id_key_digest, KeyDigest{});
  const auto plain = second.try_finish({HostData{9}, false, std::nullopt});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host_data, HostData{9});
  EXPECT_EQ(plain->id_key_digest, KeyDigest{});
  EXPECT_EQ(plain->family_id, FamilyId{});
  EXPECT_EQ(plain->guest_svn, 0U);
  EXPECT_FALSE(plain->vcek_disabled);
}

/// One way to break a launch: in the block before it is signed, in what was signed, or in the guest's state.
struct Breaker {
  const char* name;
  std::uint32_t status;
  std::function<void(IdBlock&)> block;
  std::function<void(SignedIdBlock&)> signed_block;
  std::function<void(Launch&)> launch;
};

/// In the order in which the firmware checks (56860 SNP_LAUNCH_FINISH).
const std::vector<Breaker>& breakers() {
  static const std::vector<Breaker> all = {
      {"reserved octet", 0x16, {}, [](SignedIdBlock& s) { s.auth.reserved1[3] = 1; }, {}},
      {"not activated", 0x08, {}, {}, [](Launch& launch) { launch.deactivate(); }},
      {"LD", 0x0b, [](IdBlock& b) { b.launch_digest[0] ^= 1; }, {}, {}},
      {"policy", 0x07, [](IdBlock& b) { b.policy = 0xb0000; }, {}, {}},
      {"ID key algorithm", 0x16, {}, [](SignedIdBlock& s) { s.auth.id_key_algo = 2; }, {}},
      {"ID key signature", 0x0a, {}, [](SignedIdBlock& s) { s.auth.id_block_sig.s[0] ^= 1; }, {}},
      {"author key algorithm", 0x16, {}, [](SignedIdBlock& s) { s.auth.author_key_algo = 0; }, {}},
      {"author key signature", 0x0a, {}, [](SignedIdBlock& s) { s.auth.id_key_sig.r[0] ^= 1; }, {}},
  };
  return all;
}

TEST_F(LaunchFinishing, ChecksInTheDocumentedOrder) {
  const auto refusal_of = [this](const std::vector<const Breaker*>& broken) {
    Launch launch = started();
    IdBlock to_sign = block();
    for (const Breaker* each : broken) {
      if (each->block) each->block(to_sign);
    }
    SignedIdBlock given = *make_id_block(to_sign, key("id"), &key("author"));
    for (const Breaker* each : broken) {
      if (each->signed_block) each->signed_block(given);
      if (each->launch) each->launch(launch);
    }
    const auto guest = launch.try_finish({{}, false, given});
    EXPECT_FALSE(guest) << broken.front()->name;
    return guest ? Error{Errc::internal, "accepted"} : guest.error();
  };
  for (auto first = breakers().begin(); first != breakers().end(); ++first) {
    const Error alone = refusal_of({&*first});
    EXPECT_EQ(alone.code, Errc::firmware_refused) << first->name;
    EXPECT_EQ(alone.found, first->status) << first->name;
    for (auto second = first + 1; second != breakers().end(); ++second) {
      const Error both = refusal_of({&*first, &*second});
      EXPECT_EQ(both.found, first->status) << first->name << " and " << second->name;
      EXPECT_STREQ(both.where, alone.where) << first->name << " and " << second->name;
    }
  }
}

TEST_F(LaunchFinishing, ARunningGuestIsNotLaunchedAgain) {
  Launch launch = started();
  ASSERT_TRUE(launch.try_finish({}));
  const auto again = launch.try_finish({});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().found, 0x02U);
  EXPECT_EQ(launch.update({PageType::zero, 0x2000, {}, {}}).error().found, 0x02U);
  launch.deactivate();
  EXPECT_EQ(launch.try_finish({}).error().found, 0x02U) << "the state is judged before the ASID";
  SignedIdBlock reserved = foreign();
  reserved.auth.reserved0[0] = 1;
  EXPECT_EQ(launch.try_finish({{}, false, reserved}).error().found, 0x16U) << "and reserved octets before both";
}

TEST_F(LaunchFinishing, ARefusedFinishMayBeTriedAgain) {
  Launch launch = started();
  IdBlock wrong = block();
  wrong.launch_digest[0] ^= 1;
  ASSERT_FALSE(launch.try_finish({{}, true, *make_id_block(wrong, key("id"), nullptr)}));
  const auto guest = launch.try_finish({});
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->id_key_digest, KeyDigest{});
  EXPECT_EQ(guest->guest_svn, 0U);
  EXPECT_FALSE(guest->vcek_disabled);
}

TEST_F(LaunchFinishing, AnInactiveGuestTakesNoPages) {
  Launch launch = started();
  launch.deactivate();
  EXPECT_EQ(launch.update({PageType::zero, 0x2000, {}, {}}).error().found, 0x08U);
  EXPECT_EQ(launch.update_large({PageType::zero, 0, {}, {}}).error().found, 0x08U);
}

TEST_F(LaunchFinishing, OnlyP384PointsAreKeys) {
  const SignedIdBlock good = *make_id_block(block(), key("id"), nullptr);
  struct Case {
    const char* name;
    void (*change)(LaunchKey&);
  };
  constexpr Case kCases[] = {
      {"P-256's curve number", [](LaunchKey& k) { k.curve = 1; }},
      {"no curve", [](LaunchKey& k) { k.curve = 0; }},
      {"not on the curve", [](LaunchKey& k) { k.qx[0] ^= 1; }},
      {"the point at infinity's zeros", [](LaunchKey& k) { std::memset(k.qx, 0, 2 * sizeof k.qx); }},
      {"coordinate above 48 octets", [](LaunchKey& k) { k.qy[48] = 1; }},
      {"another key", [](LaunchKey& k) { k = *launch_key_of(key("author")); }},
  };
  for (const Case& c : kCases) {
    SignedIdBlock changed = good;
    c.change(changed.auth.id_key);
    const auto checked = check_id_block(changed, block().launch_digest, kPolicy);
    ASSERT_FALSE(checked) << c.name;
    EXPECT_EQ(checked.error().found, 0x0aU) << c.name;
  }
}

}  // namespace
}  // namespace attestbed::sim
