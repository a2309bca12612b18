// SPDX-License-Identifier: Apache-2.0
#include "core/verify/appraise.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/verify/appraise_fixture.h"

namespace attestbed::verify {
namespace {

using snp::Product;
using test::filled;
using test::outcome_of;
using test::rich;
using test::verified;

/// strict demands everything there is, as the report of test::report_for has it.
Policy strict() {
  Policy policy;
  policy.max_vmpl = 1;
  policy.measurements.resize(2);
  policy.measurements[1].fill(0xab);
  policy.report_data.emplace().fill(0xcd);
  policy.host_data.emplace().fill(0xef);
  policy.minimum_tcb = test::tcb_for(Product::milan);
  policy.products = {Product::genoa, Product::milan};
  return policy;
}

void nothing(snp::RawReport&) {}

struct Row {
  const char* name;
  std::function<void(snp::RawReport&)> report;
  std::function<void(Policy&)> policy;
  Errc expected;  // zero: accepted
};

const Row kRows[] = {
    {"Fits", nothing, [](Policy&) {}, Errc{}},
    {"VmplAtTheBound", [](auto& r) { r.vmpl = 1; }, [](Policy&) {}, Errc{}},
    {"VmplAbove", [](auto& r) { r.vmpl = 2; }, [](Policy&) {}, Errc::vmpl_too_high},
    {"VmplNotJudged", [](auto& r) { r.vmpl = 3; }, [](Policy& p) { p.max_vmpl.reset(); }, Errc{}},
    {"Debug", [](auto& r) { r.policy = 0xb0000; }, [](Policy&) {}, Errc::debug_enabled},
    {"DebugRefusedByDefault", [](auto& r) { r.policy = 0xb0000; }, [](Policy& p) { p = Policy{}; },
     Errc::debug_enabled},
    {"DebugAllowed", [](auto& r) { r.policy = 0xb0000; }, [](Policy& p) { p.allow_debug = true; }, Errc{}},
    {"MigrationAgent", [](auto& r) { r.policy = 0x70000; }, [](Policy&) {}, Errc::policy_mismatch},
    {"MigrationAgentAllowed", [](auto& r) { r.policy = 0x70000; }, [](Policy& p) { p.allow_migration_agent = true; },
     Errc{}},
    {"MeasurementUnknown", [](auto& r) { r.measurement[47] ^= 1; }, [](Policy&) {}, Errc::measurement_unknown},
    {"MeasurementNotJudged", [](auto& r) { r.measurement[0] ^= 1; }, [](Policy& p) { p.measurements.clear(); }, Errc{}},
    {"ReportDataOther", [](auto& r) { r.report_data[63] ^= 1; }, [](Policy&) {}, Errc::report_data_mismatch},
    {"ReportDataNotJudged", [](auto& r) { r.report_data[0] ^= 1; }, [](Policy& p) { p.report_data.reset(); }, Errc{}},
    {"HostDataOther", [](auto& r) { r.host_data[31] ^= 1; }, [](Policy&) {}, Errc::host_data_mismatch},
    {"HostDataNotJudged", [](auto& r) { r.host_data[0] ^= 1; }, [](Policy& p) { p.host_data.reset(); }, Errc{}},
    {"TcbBelowMinimum", nothing, [](Policy& p) { ++p.minimum_tcb->microcode; }, Errc::tcb_too_low},
    {"OneTcbComponentBelowMinimum", nothing, [](Policy& p) { p.minimum_tcb = snp::Tcb{.tee = 2}; }, Errc::tcb_too_low},
    {"TcbAboveMinimum", nothing, [](Policy& p) { --p.minimum_tcb->snp; }, Errc{}},
    {"ProductNotAllowed", nothing,
     [](Policy& p) {
       p.products = {Product::genoa, Product::turin};
     },
     Errc::product_refused},
    {"AnyProduct", nothing, [](Policy& p) { p.products.clear(); }, Errc{}},
};

TEST(Appraise, JudgesEachDemandAlone) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    Policy policy = strict();
    row.policy(policy);
    const auto judged = appraise(verified(row.report), policy);
    const Errc code = judged ? Errc{} : judged.error().code;
    EXPECT_EQ(code, row.expected) << (judged ? "" : judged.error().text());
  }
}

TEST(Appraise, JudgesEveryDemandThoughTheFirstFailed) {
  Policy policy;
  policy.products = {Product::turin};
  policy.vmpl = 3;
  policy.minimum_guest_svn = 8;
  std::vector<std::string> failed;
  for (const Finding& finding : appraise_all(verified(rich), policy)) {
    if (finding.outcome == Outcome::failed) failed.emplace_back(finding.check);
  }
  EXPECT_EQ(failed, (std::vector<std::string>{"product", "exact vmpl", "guest svn"}));
}

TEST(Appraise, WhatIsAllowedByNamePassesAndSaysSo) {
  Policy policy;
  policy.allow_smt = policy.allow_provisional_firmware = policy.allow_masked_chip = true;
  policy.platform.allow_tsme = true;
  const VerifiedReport loose = verified([](auto& r) {
    r.policy = 0x30000;
    r.platform_info = 0x3;
    r.chip_id = {};
    r.current.build = 1;
  });
  const auto findings = appraise_all(loose, policy);
  for (const char* check : {"smt", "platform tsme", "provisional firmware", "masked chip"}) {
    EXPECT_EQ(outcome_of(findings, check), Outcome::passed) << check;
  }
}

TEST(Appraise, ALaunchAboveWhatIsCommittedIsProvisionalToo) {
  const auto gone_back = verified([](auto& r) { r.launch_tcb[7] = static_cast<std::uint8_t>(r.committed_tcb[7] + 1); });
  EXPECT_TRUE(appraise(gone_back, Policy{}));
  Policy policy;
  policy.allow_provisional_firmware = true;
  EXPECT_TRUE(appraise(gone_back, policy));
  policy.allow_provisional_firmware = false;
  const auto judged = appraise(gone_back, policy);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Errc::firmware_provisional);
  EXPECT_EQ(judged.error().found, "below LAUNCH_TCB: the host went back from what launched the guest");
  EXPECT_TRUE(appraise(verified([](auto& r) { --r.launch_tcb[7]; }), policy));
}

TEST(Appraise, KnowsWhoseVlekSigned) {
  const auto roots = TrustedRoots::from_certificates(std::vector{test::make(test::ark_spec("Milan"))});
  const auto vek =
      verify_chain(test::make(test::vlek_spec(Product::milan)), std::vector{test::make(test::asvk_spec("Milan"))},
                   *roots, test::at("2025-10-01T00:00:00Z"));
  ASSERT_TRUE(vek) << vek.error().text();
  snp::RawReport report = test::report_for(Product::milan);
  report.key_flags = 1U << 2;
  test::sign(report, test::vek_key());
  const auto by_vlek = verify_report(report, *vek);
  ASSERT_TRUE(by_vlek) << by_vlek.error().text();
  Policy policy;
  policy.csp_ids = {"CN=other.example", "CN=cloud.example"};
  EXPECT_TRUE(appraise(*by_vlek, policy));
  EXPECT_EQ(appraise(verified(nothing), policy).error().code, Errc::signing_key_refused) << "a VCEK has no owner";
  policy.csp_ids = {"CN=other.example"};
  EXPECT_EQ(appraise(*by_vlek, policy).error().code, Errc::signing_key_refused);
  policy.csp_ids.clear();
  policy.signing_keys = {Certificate::Kind::vcek};
  EXPECT_EQ(appraise(*by_vlek, policy).error().code, Errc::signing_key_refused);
  policy.signing_keys = {Certificate::Kind::vlek};
  EXPECT_TRUE(appraise(*by_vlek, policy));
}

TEST(Appraise, AListedAuthorKeyVouchesForTheIdKeysThatItSigned) {
  const VerifiedReport signed_by_author = verified(rich);
  Policy policy;
  policy.require_id_block = true;
  EXPECT_TRUE(appraise(signed_by_author, policy));
  EXPECT_EQ(appraise(verified(nothing), policy).error().code, Errc::id_key_untrusted);
  policy.id_key_digests = {filled<48>(0x99)};
  EXPECT_EQ(appraise(signed_by_author, policy).error().code, Errc::id_key_untrusted);
  policy.author_key_digests = {filled<48>(0x22)};
  EXPECT_TRUE(appraise(signed_by_author, policy));
  // Without AUTHOR_KEY_EN the firmware checked no author's signature.
  const VerifiedReport unsigned_id = verified([](auto& r) {
    rich(r);
    r.key_flags = 0;
    r.author_key_digest = {};
  });
  EXPECT_EQ(appraise(unsigned_id, policy).error().code, Errc::id_key_untrusted);
  policy.require_author_key = true;
  policy.author_key_digests = {filled<48>(0x23)};
  policy.id_key_digests = {filled<48>(0x11)};
  EXPECT_EQ(appraise(signed_by_author, policy).error().code, Errc::author_key_untrusted);
}

TEST(Appraise, NamesEveryTcbComponentThatIsTooLow) {
  Policy policy;
  policy.minimum_tcb = snp::Tcb{.fmc = 1, .boot_loader = 4, .tee = 0, .snp = 25, .microcode = 220};
  const auto judged = appraise(verified(nothing), policy);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().field, "REPORTED_TCB");
  EXPECT_EQ(judged.error().expected, "at least snp 25, microcode 220, fmc 1");
  EXPECT_EQ(judged.error().found, "snp 24, microcode 219, no fmc on Milan");
}

TEST(Appraise, SaysWhatItExpectedAndFound) {
  const auto judged = appraise(verified([](auto& r) { r.vmpl = 2; }), strict());
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().field, "VMPL");
  EXPECT_EQ(judged.error().expected, "at most 1");
  EXPECT_EQ(judged.error().found, "2");
}

}  // namespace
}  // namespace attestbed::verify
