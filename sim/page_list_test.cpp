// SPDX-License-Identifier: Apache-2.0
#include "sim/page_list.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/posix/describe.h"

namespace attestbed::sim {
namespace {

constexpr char kReference[] = ATTESTBED_SOURCE_DIR "/sim/testdata/reference-pages.txt";

// By sev-snp-measure 0.0.13: the digest after each line.
constexpr const char* kDigests[] = {
    "dd2077f729b141fc30a417c61bc7bd7b0c098ee0b917eb8294a75d3da0c78484d3913fd88132e1d78b4e533e03c111e4",
    "4103a60c878f96baf83f7f2319345a750a271342feb213f03d9c184864141f045cc796fd54c744cd0a61536ecb57df53",
    "0e5dec070c8fff808f922891600823ab4e7f3203246a0faf2d96e63fc28942e9185cb2d3b098412ecbfabe318b56b88d",
    "5eb45d02a8791c77474bf7264c83d36862a124463cd4fbb0e86a82aa376814c42b37839af891a662f24707ab4d0ebeca",
    "43ecaba24e8d5f17d84c6a5e5e25178e7ecd4a897fa1cccbcb0180315228c43ae8d2869105218470342c4b3508c085c8",
    "88a6f6c2f9585204eef3aee9e263045fb8a3e9bc2cb3ad45d491feea1ddd0b1ab6d9574848ac6f7440b3d5580f76287a",
    "cc8236f527dbb518d948e7de0ed0665679970cc320bf0e40f2188e7add456ae346c4d8ecc8404ef50eec0ee7b97ffebc"};

TEST(PageList, OfTheReferenceMeasuresTheReferenceStepByStep) {
  const auto image = load_page_list(kReference);
  ASSERT_TRUE(image) << image.error().text;
  ASSERT_EQ(image->size(), std::size(kDigests));
  std::vector<std::string> steps;
  const auto digest = measure_image(*image, [&](const LaunchRegion& region, std::uint64_t gpa, const auto& value) {
    if (gpa == region.gpa + (region.pages - 1) * 0x1000) steps.push_back(posix::to_hex(value));
  });
  ASSERT_TRUE(digest) << digest.error().text;
  ASSERT_EQ(steps.size(), std::size(kDigests));
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], kDigests[i]) << i;
  EXPECT_EQ(posix::to_hex(*digest), steps.back());
}

TEST(PageList, ReadsEveryOption) {
  const auto entries = parse_page_list(
      "# comment\n\n  normal 4096 file=a/b.bin offset=0x1000 pages=3 vmpl1=0xf vmpl2=5 vmpl3=1 # another\r\n"
      "zero\t0x40000000 pages=512 large\n"
      "vmsa 0xfffffffff000 eip=0x80b004 cpu=0xa00f11 features=0x21 vmm=ec2",
      "list");
  ASSERT_TRUE(entries) << entries.error().text;
  ASSERT_EQ(entries->size(), 3U);
  const PageListEntry &first = (*entries)[0], &second = (*entries)[1], &third = (*entries)[2];
  EXPECT_EQ(first.gpa, 4096U);
  EXPECT_EQ(first.file, "a/b.bin");
  EXPECT_EQ(first.file_offset, 0x1000U);
  EXPECT_EQ(first.pages, 3U);
  EXPECT_EQ(first.permissions, (PagePermissions{0xf, 5, 1}));
  EXPECT_EQ(first.line, 3U);
  EXPECT_TRUE(second.large);
  EXPECT_EQ(second.type, PageType::zero);
  EXPECT_EQ(third.vmsa, (VmsaState{0x80b004, 0xa00f11, 0x21, Vmm::ec2}));
}

TEST(PageList, RefusesNamingLineFieldExpectedAndFound) {
  struct Case {
    const char* text;
    const char* error;
  };
  constexpr Case kCases[] = {
      {"", "list: expected at least one page, found none"},
      {"# only a comment\n", "found none"},
      {"zero 0\nnoraml 0x1000",
       "list: line 2: page type: expected normal, vmsa, zero, unmeasured, secrets or cpuid, "
       "found \"noraml\""},
      {"zero", "list: line 1: GPA: expected a number up to 0xffffffffffffffff, found \"\""},
      {"zero 0x", "found \"0x\""},
      {"zero -1", "found \"-1\""},
      {"zero 0x10000000000000000", "GPA"},
      {"zero 0 pages=0", "list: line 1: pages: expected at least 1, found 0"},
      {"zero 0 pages=262145", "list: line 1: pages: expected a number up to 0x40000, found \"262145\""},
      {"zero 0 pages", "list: line 1: pages"},
      {"zero 0 pgaes=1", "found \"pgaes=1\""},
      {"zero 0 vmpl1=0x100", "list: line 1: vmpl1"},
      {"zero 0 file=a", "list: line 1: file: expected a normal or vmsa page, found another type"},
      {"normal 0 file=", "list: line 1: option"},
      {"normal 0 offset=1", "list: line 1: offset: expected a file=, found none"},
      {"normal 0 repeat=", "list: line 1: repeat: expected hex of a number of octets that divides 4096, found \"\""},
      {"normal 0 repeat=0", "repeat"},
      {"normal 0 repeat=010203", "repeat"},
      {"normal 0 repeat=00 file=a", "repeat"},
      {"zero 0 repeat=00", "repeat"},
      {"normal 0 eip=1", "list: line 1: eip, cpu, features or vmm: expected a vmsa page without file=, found another"},
      {"vmsa 0 file=a eip=1", "eip, cpu, features or vmm"},
      {"vmsa 0 pages=2", "list: line 1: pages: expected 1 for a vmsa, found 2"},
      {"normal 0 pages=1 pages=2", "list: line 1: \"pages\": expected once, found again"},
      {"normal 0 repeat=00 repeat=00", "list: line 1: \"repeat\": expected once, found again"},
      {"normal 0 file=a file=b", "list: line 1: \"file\": expected once, found again"},
      {"vmsa 0 vmm=ec2 eip=1 vmm=gce", "list: line 1: \"vmm\": expected once, found again"},
      {"zero 0 pages=512 large large", "list: line 1: \"large\": expected once, found again"},
      {"vmsa 0 vmm=xen", "list: line 1: vmm: expected QEMU, ec2 or gce, found \"xen\""},
      {"\x1b[31m 0", "found \"?[31m\""},
  };
  for (const Case& c : kCases) {
    const auto refused = parse_page_list(c.text, "list");
    ASSERT_FALSE(refused) << c.text;
    EXPECT_EQ(refused.error().code, Errc::image_malformed) << c.text;
    EXPECT_NE(refused.error().text.find(c.error), std::string::npos) << c.text << ": " << refused.error().text;
  }
}

class PageListFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "pages-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern + "/";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  Outcome<LaunchImage> load(const std::string& list) const {
    EXPECT_TRUE(posix::replace_file_private(directory_ + "list", bytes_of(list)));
    return load_page_list(directory_ + "list");
  }
  void write(const char* name, std::size_t size) const {
    std::string octets(size, '\0');
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<char>(i >> 12);
    EXPECT_TRUE(posix::write_file_private(directory_ + name, bytes_of(octets)));
  }
  std::string directory_;
};

TEST_F(PageListFiles, TakeTheirPlaceBesideTheList) {
  write("code", 0x5000);
  const auto image = load("normal 0x1000 file=code\nnormal 0x9000 file=code offset=0x2000 pages=2\n");
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ((*image)[0].pages, 5U);
  EXPECT_EQ((*image)[0].content[0x4000], 4);
  EXPECT_EQ((*image)[1].pages, 2U);
  EXPECT_EQ((*image)[1].content[0], 2);
}

TEST_F(PageListFiles, AreRefusedIfMissingShortOrCutInAPage) {
  write("code", 0x1800);
  const auto missing = load("normal 0 file=nowhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::io_failed);
  EXPECT_NE(missing.error().text.find(directory_ + "nowhere"), std::string::npos) << missing.error().text;
  EXPECT_EQ(load("normal 0 file=code").error().code, Errc::image_malformed);
  EXPECT_EQ(load("normal 0 file=code pages=2").error().code, Errc::image_malformed);
  EXPECT_EQ(load("normal 0 file=code offset=0x1800").error().code, Errc::image_malformed);
  EXPECT_TRUE(load("normal 0 file=code pages=1"));
}

TEST_F(PageListFiles, AreRefusedAtTheLineThatDemandsTooMuch) {
  const auto refusal_of = [&](const std::string& list) {
    const auto image = load(list);
    EXPECT_FALSE(image) << list;
    EXPECT_EQ(image ? Errc{} : image.error().code, Errc::too_large);
    return image ? "" : image.error().text.substr(directory_.size());
  };
  EXPECT_EQ(refusal_of("normal 0 pages=65537"),
            "list: line 1: expected at most 65536 pages with content in all, found 65537 where 65536 are left");
  EXPECT_EQ(refusal_of("normal 0x1000\nzero 0x2000\nnormal 0x3000 pages=65536 repeat=00"),
            "list: line 3: expected at most 65536 pages with content in all, found 65536 where 65535 are left");
  EXPECT_EQ(refusal_of("zero 0x1000\nzero 0x2000 pages=262144"),
            "list: line 2: expected at most 262144 pages in all, found 262144 where 262143 are left");
  write("code", 0x2000);
  EXPECT_EQ(refusal_of("zero 0 pages=262143\nnormal 0x40000000 file=code"),
            "list: line 2: expected at most 262144 pages in all, found 2 where 1 are left");
  EXPECT_TRUE(load("zero 0 pages=262142\nnormal 0x40000000 file=code"));
}

TEST_F(PageListFiles, AreMeasuredOnlyWithAGpaForEachPage) {
  const auto error_of = [&](const std::string& list) {
    const auto image = load(list);
    if (!image) return image.error().text;
    const auto digest = measure_image(*image);
    EXPECT_EQ(digest ? Errc::image_malformed : digest.error().code, Errc::image_malformed);
    return digest ? "" : digest.error().text;
  };
  EXPECT_EQ(
      error_of("zero 0x1000\nsecrets 0x2000\ncpuid 0x1000"),
      "line 3 at GPA 0x1000: expected a GPA that no other page has, found it also in line 1 at GPA 0x1000, 1 pages");
  EXPECT_EQ(
      error_of("normal 0x3000\nzero 0x1000 pages=3"),
      "line 1 at GPA 0x3000: expected a GPA that no other page has, found it also in line 2 at GPA 0x1000, 3 pages");
  EXPECT_NE(error_of("zero 0 pages=512 large\nzero 0x1000\nzero 0x1ff000"), "");
  EXPECT_NE(error_of("vmsa 0x1000\nvmsa 0x1000\nunmeasured 0x1000"), "");
  EXPECT_NE(error_of("zero 0xfffffffff000\nvmsa 0xfffffffff000"), "");
  EXPECT_EQ(error_of("zero 0x3000\nzero 0x1000 pages=2\nvmsa 0xfffffffff000\nvmsa 0xfffffffff000"), "");
  EXPECT_EQ(error_of("zero 0 pages=512 large\nzero 0x200000"), "");
}

TEST(LaunchImageMeasuring, IsBounded) {
  const LaunchRegion most{PageType::zero, 0, kMaxImagePages, {}, {}, false, "zero"};
  const LaunchRegion one{PageType::zero, 0x1000, 1, {}, {}, false, "one"};
  const auto refused = measure_image({most, one});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
  LaunchRegion beyond = one;
  beyond.gpa = 1ULL << 52;
  EXPECT_EQ(measure_image({beyond}).error().code, Errc::image_malformed);
  LaunchRegion empty = one;
  empty.type = PageType::normal;
  EXPECT_EQ(measure_image({empty}).error().code, Errc::image_malformed);
  LaunchRegion odd = one;
  odd.large = true;
  EXPECT_EQ(measure_image({odd}).error().code, Errc::image_malformed);
}

}  // namespace
}  // namespace attestbed::sim
