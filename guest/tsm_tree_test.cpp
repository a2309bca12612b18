// SPDX-License-Identifier: Apache-2.0
#include "guest/tsm_tree.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

// An ordinary directory stands for configfs where the two behave alike.
namespace attestbed::guest {
namespace {

class TsmDirectoryTest : public testing::Test {
 protected:
  TsmDirectoryTest() {
    char name[] = "/tmp/attestbed-tsm-XXXXXX";
    path_ = ::mkdtemp(name);
    tree_.emplace(path_);
  }
  ~TsmDirectoryTest() override { std::filesystem::remove_all(path_); }
  void put(const std::string& file, const std::string& text) { std::ofstream(path_ + "/" + file) << text; }
  std::string text_of(const std::string& file) {
    std::stringstream out;
    out << std::ifstream(path_ + "/" + file).rdbuf();
    return out.str();
  }
  std::string path_;
  std::optional<TsmDirectory> tree_;
};

TEST_F(TsmDirectoryTest, MakesAndRemovesEntries) {
  EXPECT_TRUE(tree_->exists());
  EXPECT_EQ(tree_->make("a"), 0);
  EXPECT_TRUE(std::filesystem::is_directory(path_ + "/a"));
  EXPECT_EQ(tree_->make("a"), EEXIST);
  EXPECT_EQ(tree_->remove("a"), 0);
  EXPECT_EQ(tree_->remove("a"), ENOENT);
  EXPECT_FALSE(TsmDirectory(path_ + "/none").exists());
  EXPECT_EQ(TsmDirectory(path_ + "/none").make("a"), ENOENT);
}

TEST_F(TsmDirectoryTest, WritesAttributesThatAreThere) {
  ASSERT_EQ(tree_->make("a"), 0);
  put("a/privlevel", "");
  const std::uint8_t level[] = {'2'};
  EXPECT_EQ(tree_->write("a", "privlevel", level), 0);
  EXPECT_EQ(text_of("a/privlevel"), "2");
  EXPECT_EQ(tree_->write("a", "inblob", level), ENOENT) << "only the kernel makes attributes";
}

TEST_F(TsmDirectoryTest, ReadsAttributesToTheirEnd) {
  ASSERT_EQ(tree_->make("a"), 0);
  put("a/provider", "sev_guest\n");
  ByteArray<10> exact{};
  std::size_t got = 0;
  EXPECT_EQ(tree_->read("a", "provider", exact, got), 0);
  EXPECT_EQ(std::string(exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(got)), "sev_guest\n");
  ByteArray<9> small{};
  EXPECT_EQ(tree_->read("a", "provider", small, got), EFBIG);
  EXPECT_EQ(tree_->read("a", "outblob", exact, got), ENOENT);
  EXPECT_EQ(got, 0U);
  put("a/auxblob", "");
  EXPECT_EQ(tree_->read("a", "auxblob", exact, got), 0);
  EXPECT_EQ(got, 0U);
}

TEST_F(TsmDirectoryTest, FollowsNoLinks) {
  ASSERT_EQ(tree_->make("a"), 0);
  put("secret", "x");
  std::filesystem::create_symlink(path_ + "/secret", path_ + "/a/outblob");
  ByteArray<4> into{};
  std::size_t got = 0;
  EXPECT_EQ(tree_->read("a", "outblob", into, got), ELOOP);
}

}  // namespace
}  // namespace attestbed::guest
