// SPDX-License-Identifier: Apache-2.0
#include "sim/synthetic_firmware.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/posix/describe.h"
#include "sim/guest_image.h"
#include "sim/ovmf.h"
#include "sim/ovmf_files.h"

namespace attestbed::sim {
namespace {

/// A directory with a firmware, a kernel and an initrd, and how they are launched.
class OvmfFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(directory_);
    const auto firmware = synthetic_firmware();
    ASSERT_TRUE(firmware);
    files_ = {.ovmf = write("firmware.fd", text_of(*firmware)),
              .kernel = write("kernel", "a kernel"),
              .initrd = write("initrd", "an initial RAM disk"),
              .cmdline = "console=ttyS0"};
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return (directory_ / name).string();
  }
  static snp::Measurement digest(const OvmfFiles& files) {
    const auto image = load_ovmf_launch(files);
    EXPECT_TRUE(image) << (image ? "" : image.error().text);
    return image ? *measure_image(*image) : snp::Measurement{};
  }

  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("ovmf-files-" + std::to_string(::getpid()));
  OvmfFiles files_;
};

TEST(SyntheticFirmware, HasAllThatALaunchReadsAndIsAlwaysTheSame) {
  const auto firmware = synthetic_firmware();
  ASSERT_TRUE(firmware);
  EXPECT_EQ(firmware->size(), kSyntheticFirmwareBytes);
  EXPECT_EQ(*firmware, *synthetic_firmware());
  const auto ovmf = parse_ovmf(ImageFile("synthetic", *firmware));
  ASSERT_TRUE(ovmf) << ovmf.error().text;
  EXPECT_TRUE(ovmf->ap_eip);
  EXPECT_TRUE(ovmf->hash_table_gpa);
  EXPECT_EQ(ovmf->sections.size(), 6U);
}

TEST_F(OvmfFilesTest, OneOctetOfAnyInputChangesTheDigest) {
  const snp::Measurement digest_of_all = digest(files_);
  OvmfFiles other = files_;
  other.kernel = write("kernel2", "b kernel");
  EXPECT_NE(digest(other), digest_of_all);
  other = files_;
  other.initrd = write("initrd2", "an initial RAM disl");
  EXPECT_NE(digest(other), digest_of_all);
  other = files_;
  other.cmdline += ' ';
  EXPECT_NE(digest(other), digest_of_all);
  other = files_;
  other.vcpus = 2;
  EXPECT_NE(digest(other), digest_of_all);
  other = files_;
  other.vcpu_type = "EPYC-Genoa";
  EXPECT_NE(digest(other), digest_of_all);
  EXPECT_EQ(digest(files_), digest_of_all);
}

// What snp-sim launches is what attestbed measure computed: page by page the same digest.
TEST_F(OvmfFilesTest, PagesOfAnImageHaveItsDigest) {
  const auto image = load_ovmf_launch(files_);
  ASSERT_TRUE(image) << image.error().text;
  const auto pages = pages_of(*image);
  ASSERT_TRUE(pages) << pages.error().text;
  EXPECT_EQ(*measure(*pages), *measure_image(*image));
}

TEST_F(OvmfFilesTest, AFileThatIsNotThereIsNamed) {
  for (std::string OvmfFiles::*const file : {&OvmfFiles::ovmf, &OvmfFiles::kernel, &OvmfFiles::initrd}) {
    OvmfFiles files = files_;
    files.*file = (directory_ / "absent").string();
    const auto image = load_ovmf_launch(files);
    ASSERT_FALSE(image);
    EXPECT_NE(image.error().text.find("absent"), std::string::npos) << image.error().text;
  }
}

}  // namespace
}  // namespace attestbed::sim
