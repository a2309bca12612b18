// SPDX-License-Identifier: Apache-2.0
#include "core/verify/appraise.h"

#include <gtest/gtest.h>

#include <algorithm>
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

/// rich is a report in which everything that a policy may ask for is there.
void rich(snp::RawReport& r) {
  r.version = 5;
  r.guest_svn = 7;
  r.policy = 0x3d20000 | 1U << 8 | 55;  // bits 25:22, 20 and 17; firmware 1.55 at least
  r.platform_info = 0x3c;               // ECC, RAPL off, ciphertext hiding, alias check
  r.key_flags = 1;                      // AUTHOR_KEY_EN
  r.current = r.committed = {.build = 40, .minor = 56, .major = 1, .reserved = 0};
  r.launch_mit_vector = 0x3;
  r.current_mit_vector = 0x7;
  std::ranges::fill(r.family_id, std::uint8_t{0x44});
  std::ranges::fill(r.image_id, std::uint8_t{0x55});
  r.id_key_digest.fill(0x11);
  r.author_key_digest.fill(0x22);
  r.report_id.fill(0x33);
  r.report_id_ma.fill(0xff);
}

template <std::size_t N>
ByteArray<N> filled(std::uint8_t octet) {
  ByteArray<N> array;
  array.fill(octet);
  return array;
}

struct Demand {
  const char* check;
  std::function<void(Policy&)> ask;             // which the rich report meets
  std::function<void(snp::RawReport&)> broken;  // and this change of it does not
};

const Demand kDemands[] = {
    {"product", [](Policy& p) { p.products = {Product::milan}; }, nullptr},
    {"signing key", [](Policy& p) { p.signing_keys = {Certificate::Kind::vcek}; }, nullptr},
    {"csp id", nullptr, nullptr},  // has a test of its own, since a VLEK must sign
    {"masked chip", [](Policy& p) { p.allow_masked_chip = false; }, [](auto& r) { r.chip_id = {}; }},
    {"chip",
     [](Policy& p) {
       p.chip_ids = {snp::ChipId{}, test::chip_id_for(Product::milan)};
     },
     nullptr},  // another chip id is refused before any policy
    {"report version", [](Policy& p) { p.minimum_report_version = 5; },
     [](auto& r) {
       r.version = 3;
       r.launch_mit_vector = r.current_mit_vector = 0;
     }},
    {"vmpl", [](Policy& p) { p.max_vmpl = 2; }, [](auto& r) { r.vmpl = 3; }},
    {"exact vmpl", [](Policy& p) { p.vmpl = 0; }, [](auto& r) { r.vmpl = 1; }},
    {"debug", [](Policy& p) { p.allow_debug = false; }, [](auto& r) { r.policy = r.policy | 1U << 19; }},
    {"migration agent", [](Policy& p) { p.allow_migration_agent = false; },
     [](auto& r) { r.policy = r.policy | 1U << 18; }},
    {"smt", [](Policy& p) { p.allow_smt = false; }, [](auto& r) { r.policy = r.policy | 1U << 16; }},
    {"cxl", [](Policy& p) { p.allow_cxl = false; }, [](auto& r) { r.policy = r.policy | 1U << 21; }},
    {"single socket", [](Policy& p) { p.require_single_socket = true; },
     [](auto& r) { r.policy = r.policy & ~(1ULL << 20); }},
    {"aes-256-xts", [](Policy& p) { p.require_aes_256_xts = true; },
     [](auto& r) { r.policy = r.policy & ~(1ULL << 22); }},
    {"rapl", [](Policy& p) { p.require_rapl_disabled = true; }, [](auto& r) { r.policy = r.policy & ~(1ULL << 23); }},
    {"ciphertext hiding", [](Policy& p) { p.require_ciphertext_hiding = true; },
     [](auto& r) { r.policy = r.policy & ~(1ULL << 24); }},
    {"page swap", [](Policy& p) { p.require_page_swap_disabled = true; },
     [](auto& r) { r.policy = r.policy & ~(1ULL << 25); }},
    {"abi",
     [](Policy& p) {
       p.minimum_abi = VersionBound{1, 55};
     },
     [](auto& r) { r.policy = r.policy - 1; }},
    {"platform smt", [](Policy& p) { p.platform.allow_smt = false; }, [](auto& r) { r.platform_info = 0x3d; }},
    {"platform tsme", [](Policy& p) { p.platform.allow_tsme = false; }, [](auto& r) { r.platform_info = 0x3e; }},
    {"platform ecc", [](Policy& p) { p.platform.require_ecc = true; }, [](auto& r) { r.platform_info = 0x38; }},
    {"platform rapl", [](Policy& p) { p.platform.require_rapl_disabled = true; },
     [](auto& r) { r.platform_info = 0x34; }},
    {"platform ciphertext hiding", [](Policy& p) { p.platform.require_ciphertext_hiding = true; },
     [](auto& r) { r.platform_info = 0x2c; }},
    {"platform alias check", [](Policy& p) { p.platform.require_alias_check = true; },
     [](auto& r) { r.platform_info = 0x1c; }},
    {"platform sev-tio", [](Policy& p) { p.platform.allow_sev_tio = false; }, [](auto& r) { r.platform_info = 0xbc; }},
    {"platform undocumented bits", [](Policy& p) { p.platform.allow_undocumented_bits = false; },
     [](auto& r) { r.platform_info = 0x7c; }},
    {"tcb", [](Policy& p) { p.minimum_tcb = test::tcb_for(Product::milan); },
     nullptr},  // another REPORTED_TCB is refused before any policy
    {"launch tcb", [](Policy& p) { p.minimum_launch_tcb = test::tcb_for(Product::milan); },
     [](auto& r) { r.launch_tcb[6] = 23; }},
    {"firmware version",
     [](Policy& p) {
       p.minimum_firmware = VersionBound{1, 56};
     },
     [](auto& r) { r.current.minor = r.committed.minor = 55; }},
    {"firmware build", [](Policy& p) { p.minimum_firmware_build = 40; },
     [](auto& r) { r.current.build = r.committed.build = 39; }},
    {"provisional firmware", [](Policy& p) { p.allow_provisional_firmware = false; },
     [](auto& r) { r.committed.build = 39; }},
    {"launch mitigations", [](Policy& p) { p.launch_mitigations = 0x2; }, [](auto& r) { r.launch_mit_vector = 0x1; }},
    {"current mitigations", [](Policy& p) { p.current_mitigations = 0x6; },
     [](auto& r) { r.current_mit_vector = 0x5; }},
    {"measurement", [](Policy& p) { p.measurements = {filled<48>(0xab)}; }, [](auto& r) { r.measurement[0] ^= 1; }},
    {"host data", [](Policy& p) { p.host_data = filled<32>(0xef); }, [](auto& r) { r.host_data[0] ^= 1; }},
    {"report data", [](Policy& p) { p.report_data = filled<64>(0xcd); }, [](auto& r) { r.report_data[0] ^= 1; }},
    {"guest svn", [](Policy& p) { p.minimum_guest_svn = 7; }, [](auto& r) { r.guest_svn = 6; }},
    {"family id", [](Policy& p) { p.family_id = filled<16>(0x44); }, [](auto& r) { r.family_id[15] ^= 1; }},
    {"image id", [](Policy& p) { p.image_id = filled<16>(0x55); }, [](auto& r) { r.image_id[15] ^= 1; }},
    {"report id", [](Policy& p) { p.report_id = filled<32>(0x33); }, [](auto& r) { r.report_id[31] ^= 1; }},
    {"report id of the migration agent", [](Policy& p) { p.report_id_ma = filled<32>(0xff); },
     [](auto& r) { r.report_id_ma[31] = 0; }},
    {"id key", [](Policy& p) { p.id_key_digests = {filled<48>(0x11)}; }, [](auto& r) { r.id_key_digest[0] ^= 1; }},
    {"author key", [](Policy& p) { p.require_author_key = true; }, [](auto& r) { r.key_flags = 0; }},
};

Outcome outcome_of(const std::vector<Finding>& findings, std::string_view check) {
  const auto found = std::ranges::find(findings, check, [](const Finding& one) { return std::string_view(one.check); });
  EXPECT_NE(found, findings.end()) << check;
  return found == findings.end() ? Outcome::not_asked : found->outcome;
}

TEST(Appraise, EachDemandIsOneCheckThatPassesOrFailsAlone) {
  ASSERT_EQ(std::size(kDemands), policy_checks().size());
  const VerifiedReport good = verified(rich);
  for (std::size_t i = 0; i < std::size(kDemands); ++i) {
    const auto& [check, ask, broken] = kDemands[i];
    SCOPED_TRACE(check);
    EXPECT_STREQ(check, policy_checks()[i].name);
    const bool by_name = check == std::string_view("debug") || check == std::string_view("migration agent");
    EXPECT_EQ(outcome_of(appraise_all(good, Policy{}), check), by_name ? Outcome::passed : Outcome::not_asked);
    if (!ask) continue;
    Policy policy;
    ask(policy);
    for (const Finding& finding : appraise_all(good, policy)) {
      EXPECT_NE(finding.outcome, Outcome::failed) << finding.check;
      EXPECT_EQ(finding.outcome == Outcome::not_asked, finding.found.empty()) << finding.check;
    }
    EXPECT_EQ(outcome_of(appraise_all(good, policy), check), Outcome::passed);
    if (!broken) continue;
    const VerifiedReport bad = verified([&, change = broken](auto& r) {
      rich(r);
      change(r);
    });
    for (const Finding& finding : appraise_all(bad, policy)) {
      EXPECT_EQ(finding.outcome == Outcome::failed, finding.check == std::string_view(check)) << finding.check;
    }
    const auto first = appraise(bad, policy);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, policy_checks()[i].code);
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
  // Without AUTHOR_KEY_EN the firmware checked no author's signature, whatever the digest says.
  const VerifiedReport unsigned_id = verified([](auto& r) {
    rich(r);
    r.key_flags = 0;
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
