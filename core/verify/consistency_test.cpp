// SPDX-License-Identifier: Apache-2.0
#include "core/verify/consistency.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using snp::RawReport;

/// full is a report of a guest with ID block and author key, whose POLICY demands what the platform has.
RawReport full() {
  RawReport report = test::report_for(snp::Product::milan);
  report.key_flags = 1U;
  report.id_key_digest.fill(0x11);
  report.author_key_digest.fill(0x22);
  report.policy = 0x1820000 | 1U << 8 | 55;  // bits 24, 23 and 17; firmware 1.55 at least
  report.platform_info = 0x18;               // RAPL off, ciphertext hiding
  report.current = {.build = 0, .minor = 55, .major = 1, .reserved = 0};
  return report;
}

struct Row {
  const char* name;
  std::function<void(RawReport&)> change;
  Errc expected;  // zero: accepted
  const char* field = "";
};

const Row kRows[] = {
    {"Full", [](RawReport&) {}, Errc{}},
    {"NoAuthorKey",
     [](RawReport& r) {
       r.key_flags = 0;
       r.author_key_digest = {};
     },
     Errc{}},
    {"NoIdBlock",
     [](RawReport& r) {
       r.key_flags = 0;
       r.author_key_digest = {};
       r.id_key_digest = {};
     },
     Errc{}},
    {"AuthorDigestWithoutFlag", [](RawReport& r) { r.key_flags = 0; }, Errc::report_contradiction, "AUTHOR_KEY_DIGEST"},
    {"AuthorDigestOfOneBitWithoutFlag",
     [](RawReport& r) {
       r.key_flags = 0;
       r.author_key_digest = {};
       r.author_key_digest[47] = 1;
     },
     Errc::report_contradiction, "AUTHOR_KEY_DIGEST"},
    {"FlagWithoutAuthorDigest", [](RawReport& r) { r.author_key_digest = {}; }, Errc::report_contradiction,
     "AUTHOR_KEY_DIGEST"},
    {"AuthorKeyWithoutIdKey", [](RawReport& r) { r.id_key_digest = {}; }, Errc::report_contradiction, "ID_KEY_DIGEST"},
    {"VcekOfAMaskedChip", [](RawReport& r) { r.key_flags = r.key_flags | 2U; }, Errc::report_contradiction,
     "SIGNING_KEY"},
    {"VlekOfAMaskedChip", [](RawReport& r) { r.key_flags = r.key_flags | 2U | 1U << 2; }, Errc{}},
    {"SmtForbiddenAndOn", [](RawReport& r) { r.platform_info = 0x19; }, Errc::launch_policy_broken,
     "PLATFORM_INFO.SMT_EN"},
    {"SmtAllowedAndOn",
     [](RawReport& r) {
       r.platform_info = 0x19;
       r.policy = r.policy | 1U << 16;
     },
     Errc{}},
    {"SmtAllowedAndOff", [](RawReport& r) { r.policy = r.policy | 1U << 16; }, Errc{}},
    {"RaplForbiddenAndOn", [](RawReport& r) { r.platform_info = 0x10; }, Errc::launch_policy_broken,
     "PLATFORM_INFO.RAPL_DIS"},
    {"RaplAllowedAndOn",
     [](RawReport& r) {
       r.platform_info = 0x10;
       r.policy = r.policy & ~(1ULL << 23);
     },
     Errc{}},
    {"CiphertextHidingDemandedAndOff", [](RawReport& r) { r.platform_info = 0x08; }, Errc::launch_policy_broken,
     "PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN"},
    {"CiphertextHidingNotDemandedAndOff",
     [](RawReport& r) {
       r.platform_info = 0x08;
       r.policy = r.policy & ~(1ULL << 24);
     },
     Errc{}},
    {"FirmwareMinorBelowPolicy", [](RawReport& r) { r.current.minor = 54; }, Errc::launch_policy_broken,
     "CURRENT_MAJOR, CURRENT_MINOR"},
    {"FirmwareMajorBelowPolicy",
     [](RawReport& r) { r.current = {.build = 255, .minor = 255, .major = 0, .reserved = 0}; },
     Errc::launch_policy_broken, "CURRENT_MAJOR, CURRENT_MINOR"},
    {"FirmwareMajorAbovePolicy", [](RawReport& r) { r.current = {.build = 0, .minor = 0, .major = 2, .reserved = 0}; },
     Errc{}},
};

TEST(Consistency, RefusesOneContradictionByItsField) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    RawReport report = full();
    row.change(report);
    const Checked<void> checked = check_consistency(report);
    EXPECT_EQ(checked ? Errc{} : checked.error().code, row.expected) << (checked ? "" : checked.error().text());
    EXPECT_EQ(checked ? "" : checked.error().field, row.field);
  }
}

TEST(Consistency, SaysWhatDoesNotFit) {
  RawReport report = full();
  report.current.minor = 54;
  const Checked<void> checked = check_consistency(report);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().expected, "at least POLICY's ABI_MAJOR.ABI_MINOR 1.55");
  EXPECT_EQ(checked.error().found, "1.54");
}

TEST(Consistency, HoldsOfTheReportsOfRealMachines) {
  for (const char* name : {"v2-milan-debug", "v2-milan-idblock", "v2-milan-sevcrate", "v3-milan", "v3-milan-vlek",
                           "v5-genoa", "v5-turin"}) {
    const Checked<RawReport> report = check_form(test::read_testdata(std::string("reports/") + name + ".bin"));
    ASSERT_TRUE(report) << name;
    const Checked<void> checked = check_consistency(*report);
    EXPECT_TRUE(checked) << name << ": " << checked.error().text();
  }
}

}  // namespace
}  // namespace attestbed::verify
