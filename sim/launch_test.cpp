// SPDX-License-Identifier: Apache-2.0
#include "sim/launch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/crypto/sha2.h"
#include "core/posix/describe.h"
#include "sim/guest_image.h"
#include "sim/seeded_entropy.h"

namespace attestbed::sim {
namespace {

snp::Page counting_page() {
  snp::Page page{};
  for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::uint8_t>(i);
  return page;
}

// Digests computed by sev-snp-measure 0.0.13 and again with Python's hashlib, cumulative.
struct Step {
  LaunchPage page;
  const char* digest;
};
const std::vector<Step>& reference_steps() {
  static const std::vector<Step> steps = {
      {{PageType::normal, 0xffc00000, counting_page(), {}},
       "dd2077f729b141fc30a417c61bc7bd7b0c098ee0b917eb8294a75d3da0c78484d3913fd88132e1d78b4e533e03c111e4"},
      {{PageType::zero, 0x800000, {}, {}}, nullptr},
      {{PageType::zero, 0x801000, {}, {}},
       "4103a60c878f96baf83f7f2319345a750a271342feb213f03d9c184864141f045cc796fd54c744cd0a61536ecb57df53"},
      {{PageType::secrets, 0x80d000, {}, {}},
       "0e5dec070c8fff808f922891600823ab4e7f3203246a0faf2d96e63fc28942e9185cb2d3b098412ecbfabe318b56b88d"},
      {{PageType::cpuid, 0x80e000, {}, {}},
       "5eb45d02a8791c77474bf7264c83d36862a124463cd4fbb0e86a82aa376814c42b37839af891a662f24707ab4d0ebeca"},
      {{PageType::unmeasured, 0x90000, {}, {}},
       "43ecaba24e8d5f17d84c6a5e5e25178e7ecd4a897fa1cccbcb0180315228c43ae8d2869105218470342c4b3508c085c8"},
      {{PageType::vmsa, kVmsaGpa, vmsa_page({}), {}},
       "88a6f6c2f9585204eef3aee9e263045fb8a3e9bc2cb3ad45d491feea1ddd0b1ab6d9574848ac6f7440b3d5580f76287a"},
      {{PageType::vmsa, kVmsaGpa, vmsa_page({.eip = 0x80b004}), {}},
       "cc8236f527dbb518d948e7de0ed0665679970cc320bf0e40f2188e7add456ae346c4d8ecc8404ef50eec0ee7b97ffebc"},
  };
  return steps;
}

TEST(LaunchDigest, FollowsTheReferenceStepByStep) {
  LaunchDigest digest;
  for (const Step& step : reference_steps()) {
    ASSERT_TRUE(digest.update(step.page));
    if (step.digest != nullptr) {
      EXPECT_EQ(posix::to_hex(digest.value()), step.digest);
    }
  }
}

TEST(LaunchDigest, VmsaPagesAreThoseOfTheReference) {
  const auto hash = [](const VmsaState& state) { return posix::to_hex(*crypto::sha384({vmsa_page(state)})); };
  EXPECT_EQ(hash({}),
            "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b3856f55378e9518d0da99452d51c553a");
  EXPECT_EQ(hash({.eip = 0x80b004}),
            "8413b852790765a310d95867a8b00bfca3a802b5a80830044b45e253fe96222657e11e53fcf63eb0e0afd722385bf7b4");
}

TEST(LaunchDigest, IgnoresTheTscFieldsOfAVmsaOnly) {
  const auto one = [](PageType type, std::size_t changed) {
    LaunchPage page{type, kVmsaGpa, vmsa_page({}), {}};
    page.content[changed] ^= 0xff;
    return *measure({page});
  };
  const snp::Measurement plain = *measure({{PageType::vmsa, kVmsaGpa, vmsa_page({}), {}}});
  EXPECT_EQ(one(PageType::vmsa, 0x2f0), plain);
  EXPECT_EQ(one(PageType::vmsa, 0x2ff), plain);
  EXPECT_NE(one(PageType::vmsa, 0x2ef), plain);
  EXPECT_NE(one(PageType::vmsa, 0x300), plain);
  EXPECT_NE(one(PageType::normal, 0x2f0), *measure({{PageType::normal, kVmsaGpa, vmsa_page({}), {}}}));
}

TEST(LaunchDigest, DependsOnOrderAddressTypeAndPermissions) {
  const LaunchPage a{PageType::normal, 0x1000, counting_page(), {}}, b{PageType::zero, 0x2000, {}, {}};
  const snp::Measurement ab = *measure({a, b});
  EXPECT_NE(*measure({b, a}), ab);
  LaunchPage changed = b;
  changed.gpa = 0x3000;
  EXPECT_NE(*measure({a, changed}), ab);
  changed = b;
  changed.type = PageType::unmeasured;
  EXPECT_NE(*measure({a, changed}), ab);
  for (std::uint8_t PagePermissions::*vmpl :
       {&PagePermissions::vmpl1, &PagePermissions::vmpl2, &PagePermissions::vmpl3}) {
    changed = b;
    changed.permissions.*vmpl = 1;
    EXPECT_NE(*measure({a, changed}), ab);
  }
  changed = b;
  changed.content[0] = 1;
  EXPECT_EQ(*measure({a, changed}), ab) << "the content of a zero page is not measured";
}

TEST(LaunchDigest, RefusesWhatTheFirmwareRefuses) {
  for (const unsigned type : {0U, 7U, 255U}) {
    LaunchDigest digest;
    const Status status = digest.update({static_cast<PageType>(type), 0x1000, {}, {}});
    ASSERT_FALSE(status) << type;
    EXPECT_EQ(status.error().code, Errc::firmware_refused);
    EXPECT_EQ(status.error().found, 0x16U);
    EXPECT_EQ(digest.value(), snp::Measurement{});
  }
  LaunchDigest digest;
  EXPECT_FALSE(digest.update({PageType::zero, 0x1001, {}, {}}));
}

TEST(LaunchDigest, CountsALargePageAs512Pages) {
  std::vector<std::uint8_t> content(kLargePageBytes);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::uint8_t>(i ^ (i >> 12));
  for (const PageType type : {PageType::normal, PageType::zero, PageType::unmeasured}) {
    LaunchDigest large, small;
    const PagePermissions permissions{0xf, 0x5, 0x1};
    const Bytes measured = type == PageType::normal ? Bytes(content) : Bytes{};
    ASSERT_TRUE(large.update_large(LargeLaunchPage{type, 0x40000000, measured, permissions}));
    for (unsigned i = 0; i < 512; ++i) {
      LaunchPage page{type, 0x40000000 + i * 0x1000ULL, {}, permissions};
      std::copy_n(content.begin() + i * 0x1000, 0x1000, page.content.begin());
      ASSERT_TRUE(small.update(page));
    }
    EXPECT_EQ(large.value(), small.value());
  }
}

TEST(LaunchDigest, RefusesLargePagesAsTheFirmwareDoes) {
  struct Case {
    const char* name;
    LargeLaunchPage page;
    std::uint32_t status;
  };
  const Case kCases[] = {
      {"VMSA", {PageType::vmsa, 0x200000, {}, {}}, 0x19},
      {"secrets", {PageType::secrets, 0x200000, {}, {}}, 0x19},
      {"CPUID", {PageType::cpuid, 0x200000, {}, {}}, 0x19},
      {"type 0", {static_cast<PageType>(0), 0x200000, {}, {}}, 0x16},
      {"type 7", {static_cast<PageType>(7), 0x200000, {}, {}}, 0x16},
      {"GPA of a small page", {PageType::zero, 0x201000, {}, {}}, 0x16},
      {"permission bit 5", {PageType::zero, 0x200000, {}, {0x20, 0, 0}}, 0x16},
      {"VMSA at a GPA of a small page", {PageType::vmsa, 0x201000, {}, {}}, 0x16},
  };
  for (const Case& c : kCases) {
    LaunchDigest digest;
    const Status status = digest.update_large(c.page);
    ASSERT_FALSE(status) << c.name;
    EXPECT_EQ(status.error().code, Errc::firmware_refused) << c.name;
    EXPECT_EQ(status.error().found, c.status) << c.name;
    EXPECT_EQ(digest.value(), snp::Measurement{}) << c.name;
  }
  LaunchDigest digest;
  EXPECT_EQ(digest.update_large(LargeLaunchPage{PageType::normal, 0, {}, {}}).error().code, Errc::bad_length);
}

TEST(LaunchDigest, PermissionsLieInPageInfoFromVmpl1To3) {
  // SHA-384 of the 112 octets: 48 zero, 48 zero, 70 00 03 00 00 0f 05 01, GPA; by sha384sum.
  EXPECT_EQ(posix::to_hex(*measure({{PageType::zero, 0x1000, {}, {0x0f, 0x05, 0x01}}})),
            "7adf4e545e0b21762d83af223eb46dbd14afbce9a74f3eb188625d8553e6459706ac02c60255089e8c042011fa2eed96");
}

TEST(LaunchDigest, RefusesPermissionsThatDoNotExist) {
  for (std::uint8_t PagePermissions::*vmpl :
       {&PagePermissions::vmpl1, &PagePermissions::vmpl2, &PagePermissions::vmpl3}) {
    LaunchPage page{PageType::zero, 0x1000, {}, {}};
    page.permissions.*vmpl = 0x1f;
    LaunchDigest digest;
    EXPECT_TRUE(digest.update(page));
    page.permissions.*vmpl = 0x20;
    EXPECT_EQ(digest.update(page).error().found, 0x16U);
  }
}

class Launching : public testing::Test {
 protected:
  static Machine machine() {
    static const auto authority =
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan));
    return Machine::of(authority);
  }
  SeededEntropy entropy_{1, "launch test"};
};

TEST_F(Launching, RefusesPoliciesThatTheMachineCannotHonour) {
  struct Case {
    const char* name;
    std::uint64_t policy;
    std::uint64_t platform_info;
    bool accepted;
    std::uint32_t report_version = 3;
  };
  constexpr Case kCases[] = {
      {"default", 0x30000, 0x25, true},
      {"bit 17 clear", 0x10000, 0x25, false},
      {"reserved bit 26", 0x4030000, 0x25, false},
      {"reserved bit 63", 0x8000000000030000, 0x25, false},
      {"bit 25 in firmware with reports of version 2", 0x2030000, 0x25, false, 2},
      {"bit 25 in firmware with reports of version 3", 0x2030000, 0x25, false, 3},
      {"bit 25 in firmware with reports of version 5", 0x2030000, 0x25, true, 5},
      {"bits 22 and 21 in firmware with reports of version 2", 0x630000, 0x05, true, 2},
      {"no SMT on a machine with SMT", 0x20000, 0x25, false},
      {"no SMT on a machine without", 0x20000, 0x24, true},
      {"ABI 1.55 on 1.55", 0x30137, 0x25, true},
      {"ABI 1.56 on 1.55", 0x30138, 0x25, false},
      {"ABI 2.0 on 1.55", 0x30200, 0x25, false},
      {"migration agent", 0x70000, 0x25, false},
      {"debug", 0xb0000, 0x25, true},
      {"RAPL off wanted, on", 0x830000, 0x25, false},
      {"RAPL off wanted, off", 0x830000, 0x2d, true},
      {"ciphertext hiding wanted, off", 0x1030000, 0x25, false},
      {"ciphertext hiding wanted, on", 0x1030000, 0x35, true},
  };
  for (const Case& c : kCases) {
    Machine host = machine();
    host.platform_info = c.platform_info;
    host.report_version = c.report_version;
    const auto launch = Launch::start(host, c.policy, entropy_);
    EXPECT_EQ(launch.has_value(), c.accepted) << c.name;
    if (!launch) {
      EXPECT_EQ(launch.error().code, Errc::firmware_refused);
      EXPECT_EQ(launch.error().found, 0x07U) << c.name;
    }
  }
}

TEST_F(Launching, GivesEveryGuestKeysAndAnIdOfItsOwn) {
  auto first = Launch::start(machine(), kDefaultPolicy, entropy_),
       second = Launch::start(machine(), kDefaultPolicy, entropy_);
  ASSERT_TRUE(first && second);
  const GuestContext a = (*std::move(first)).finish({}), b = (*std::move(second)).finish({});
  EXPECT_NE(a.report_id, b.report_id);
  for (const snp::Vmpck& key : a.vmpcks) {
    const auto same = [&](const snp::Vmpck& other) { return equal_ct(key.expose(), other.expose()); };
    EXPECT_EQ(std::count_if(a.vmpcks.begin(), a.vmpcks.end(), same), 1);
    EXPECT_EQ(std::count_if(b.vmpcks.begin(), b.vmpcks.end(), same), 0);
  }
}

TEST_F(Launching, SecretsPageHoldsTheKeysWhereLinuxLooks) {
  auto launch = Launch::start(machine(), kDefaultPolicy, entropy_);
  ASSERT_TRUE(launch);
  const GuestContext guest = (*std::move(launch)).finish({});
  const snp::Page page = guest.secrets_page(machine());
  EXPECT_EQ(page[0], 3);
  EXPECT_EQ(posix::to_hex(Bytes(page).subspan(8, 4)), "110fa000");  // CPUID 1 EAX of a Milan B1: 0x00a00f11
  constexpr std::size_t kOffsets[] = {0x20, 0x40, 0x60, 0x80};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(equal_ct(Bytes(page).subspan(kOffsets[i], 32), guest.vmpcks[i].expose()));
  }
  EXPECT_EQ(posix::to_hex(Bytes(page).subspan(0x160, 4)), "c8000000") << "TSC_FACTOR 200, as MSG_TSC_INFO_RSP says";
  EXPECT_EQ(std::count(page.begin() + 0xa0, page.end(), 0), 4096 - 0xa0 - 1);
}

TEST(SyntheticImage, MeasuresTheSameForALabelAndOtherwiseForAnother) {
  const auto a = synthetic_image("guest"), b = synthetic_image("guest"), c = synthetic_image("guesu");
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(*measure(*a), *measure(*b));
  EXPECT_NE(*measure(*a), *measure(*c));
}

}  // namespace
}  // namespace attestbed::sim
