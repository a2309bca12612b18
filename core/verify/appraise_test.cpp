// SPDX-License-Identifier: Apache-2.0
#include "core/verify/appraise.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using snp::Product;

VerifiedReport verified(const std::function<void(snp::RawReport&)>& change) {
  snp::RawReport report = test::report_for(Product::milan);
  change(report);
  test::sign(report, test::vek_key());
  const auto roots = TrustedRoots::from_certificates(std::vector{test::make(test::ark_spec("Milan"))});
  const auto vek =
      verify_chain(test::make(test::vcek_spec(Product::milan)), std::vector{test::make(test::ask_spec("Milan"))},
                   *roots, test::at("2025-10-01T00:00:00Z"));
  EXPECT_TRUE(vek) << vek.error().text();
  const auto made = verify_report(report, *vek);
  EXPECT_TRUE(made) << made.error().text();
  return *made;
}

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

TEST(Appraise, SaysWhatItExpectedAndFound) {
  const auto judged = appraise(verified([](auto& r) { r.vmpl = 2; }), strict());
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().field, "VMPL");
  EXPECT_EQ(judged.error().expected, "at most 1");
  EXPECT_EQ(judged.error().found, "2");
}

}  // namespace
}  // namespace attestbed::verify
