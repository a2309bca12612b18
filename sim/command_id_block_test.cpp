// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/guest_image.h"

namespace attestbed::sim {
namespace {

class IdBlockCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "id-block-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern + "/";
    const auto context = *CryptoContext::make(5);
    for (const char* name : {"id", "author"}) {
      const SigningKey key = *SigningKey::make_p384(context, name, {});
      ASSERT_TRUE(posix::write_file_private(directory_ + name + ".pem", bytes_of(*key.to_pem())));
      digests_[name] = *digest_of(*launch_key_of(key));
    }
    made_.block.launch_digest = *measure(*synthetic_image(guest_.image));
    made_.block.version = kIdBlockVersion;
    made_.block.policy = guest_.policy;
    made_.block.guest_svn = 7;
    made_.id_key = directory_ + "id.pem";
    made_.author_key = directory_ + "author.pem";
    made_.out_block = guest_.id_block = directory_ + "id.blk";
    made_.out_auth = guest_.id_auth = directory_ + "id.auth";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::map<std::string, KeyDigest> digests_;
  IdBlockOptions made_;
  GuestOptions guest_;
};

TEST_F(IdBlockCommand, MakesWhatALaunchTakes) {
  ASSERT_EQ(run_id_block(made_), 0);
  guest_.author_key_enabled = true;
  const auto config = prepare({}, guest_);
  ASSERT_TRUE(config) << config.error().text;
  const auto guest = launch_guest(*config, 1);
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->id_key_digest, digests_["id"]);
  EXPECT_EQ(guest->author_key_digest, digests_["author"]);
  EXPECT_EQ(guest->guest_svn, 7U);
  EXPECT_FALSE(guest->vcek_disabled);
}

TEST_F(IdBlockCommand, AnotherGuestOrPolicyIsRefusedByTheFirmware) {
  ASSERT_EQ(run_id_block(made_), 0);
  GuestOptions other_image = guest_, other_policy = guest_;
  other_image.image += "2";
  other_policy.policy |= snp::kPolicyDebug;
  const auto refusal = [](const GuestOptions& guest) { return launch_guest(*prepare({}, guest), 1).error(); };
  EXPECT_EQ(refusal(other_image).found, 0x0bU);
  EXPECT_EQ(refusal(other_policy).found, 0x07U);
}

TEST_F(IdBlockCommand, RefusesFilesThatAreNone) {
  EXPECT_EQ(prepare({}, guest_).error().code, Errc::io_failed);
  ASSERT_EQ(run_id_block(made_), 0);
  std::swap(guest_.id_block, guest_.id_auth);
  const auto swapped = prepare({}, guest_);
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, Errc::bad_length);
  EXPECT_NE(swapped.error().text.find(guest_.id_block), std::string::npos) << swapped.error().text;
  EXPECT_EQ(fail(swapped.error()), 2);
  made_.id_key = directory_ + "nowhere.pem";
  EXPECT_EQ(run_id_block(made_), 3);
  made_.id_key = made_.out_block;
  EXPECT_EQ(run_id_block(made_), 2);
}

}  // namespace
}  // namespace attestbed::sim
