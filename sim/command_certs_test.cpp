// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/commands.h"
#include "sim/options.h"

namespace attestbed::sim {
namespace {

namespace fs = std::filesystem;

class CertsCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "certs-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    options_.out = (directory_ / "out/ca").string();
    options_.seed = kDefaultSeed;  // whose keys need not be made
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string ark_key() const {
    std::ifstream in(options_.out + "/ark.key", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  int run(std::string& err) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const int status = run_certs(options_);
    testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return status;
  }

  fs::path directory_;
  CertsOptions options_;
  std::string err_;
};

TEST_F(CertsCommand, MakesADirectoryOrFillsAnEmptyOne) {
  EXPECT_EQ(run(err_), 0) << "with missing parents: " << err_;
  EXPECT_FALSE(ark_key().empty());
  options_.out = (directory_ / "empty").string();
  fs::create_directory(options_.out);
  EXPECT_EQ(run(err_), 0) << err_;
  EXPECT_FALSE(ark_key().empty());
}

TEST_F(CertsCommand, ReplacesAnAuthorityOnlyIfTold) {
  ASSERT_EQ(run(err_), 0) << err_;
  const std::string milans = ark_key();
  options_.product = snp::Product::genoa;
  EXPECT_EQ(run(err_), 2);
  EXPECT_NE(err_.find("bad_config: " + options_.out + ": expected no directory or an empty one, found "),
            std::string::npos)
      << err_;
  EXPECT_NE(err_.find("--force"), std::string::npos) << err_;
  EXPECT_EQ(ark_key(), milans);
  options_.force = true;
  EXPECT_EQ(run(err_), 0) << err_;
  EXPECT_NE(ark_key(), milans);
  EXPECT_TRUE(CertificateAuthority::load(options_.out, std::nullopt));
}

TEST_F(CertsCommand, WritesIntoNothingThatIsNoDirectory) {
  std::ofstream(directory_ / "out") << "a file";
  options_.out = (directory_ / "out").string();
  EXPECT_EQ(run(err_), 3);
  EXPECT_NE(err_.find("io_failed: " + options_.out + ": cannot be read: "), std::string::npos) << err_;
}

}  // namespace
}  // namespace attestbed::sim
