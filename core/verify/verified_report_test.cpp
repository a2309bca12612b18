// SPDX-License-Identifier: Apache-2.0
#include "core/verify/verified_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using snp::Product;
using snp::RawReport;
using test::make;
using test::Spec;

constexpr std::uint32_t kVlekFlag = 1U << 2;

Vek vek_of(Product product, Certificate::Kind kind = Certificate::Kind::vcek) {
  const char* name = product_name(product);
  const bool vcek = kind == Certificate::Kind::vcek;
  const Spec vek = vcek ? test::vcek_spec(product) : test::vlek_spec(product);
  const Spec issuer = vcek ? test::ask_spec(name) : test::asvk_spec(name);
  const auto roots = TrustedRoots::from_certificates(std::vector{make(test::ark_spec(name))});
  const auto verified = verify_chain(make(vek), std::vector{make(issuer)}, *roots, test::at("2025-10-01T00:00:00Z"));
  EXPECT_TRUE(verified) << verified.error().text();
  return *verified;
}

struct Change {
  const char* name;
  std::function<void(RawReport&)> change;
  Errc expected;
};

snp::TcbVersion tcb_with(Product product, std::uint8_t snp::Tcb::*component, int delta) {
  snp::Tcb tcb = test::tcb_for(product);
  tcb.*component = static_cast<std::uint8_t>(tcb.*component + delta);
  return snp::encode_tcb(product, tcb);
}

// Each report is signed after the change: only the rule under test stands in its way.
const Change kChanges[] = {
    {"VersionOne", [](RawReport& r) { r.version = 1; }, Errc::report_version},
    {"VersionFour", [](RawReport& r) { r.version = 4; }, Errc::report_version},
    {"VersionSix", [](RawReport& r) { r.version = 6; }, Errc::report_version},
    {"PolicyBit17Clear", [](RawReport& r) { r.policy = 0x10000; }, Errc::report_policy_bits},
    {"PolicyBit26Set", [](RawReport& r) { r.policy = 0x30000 | 1ULL << 26; }, Errc::report_policy_bits},
    {"VmplFour", [](RawReport& r) { r.vmpl = 4; }, Errc::report_reserved},
    {"VmplOfAHostsOwnReport", [](RawReport& r) { r.vmpl = 0xffffffff; }, Errc::report_reserved},
    {"ReservedSet", [](RawReport& r) { r.reserved2[151] = 1; }, Errc::report_reserved},
    {"MitigationVectorInVersion3", [](RawReport& r) { r.launch_mit_vector = 1; }, Errc::report_reserved},
    {"CpuidInVersion2", [](RawReport& r) { r.version = 2; }, Errc::report_reserved},
    {"SignedByNoKey", [](RawReport& r) { r.key_flags = 7U << 2; }, Errc::report_unsigned},
    {"SigningKeyReserved", [](RawReport& r) { r.key_flags = 2U << 2; }, Errc::report_unsigned},
    {"SaysVlekUnderVcek", [](RawReport& r) { r.key_flags = kVlekFlag; }, Errc::certificate_missing},
    {"ProductUnknown", [](RawReport& r) { r.cpuid_family = 0x17; }, Errc::product_unknown},
    {"ProductOther", [](RawReport& r) { r.cpuid_model = 0x11; }, Errc::product_mismatch},
    {"TcbBelowTheCertificates",
     [](RawReport& r) { r.reported_tcb = tcb_with(Product::milan, &snp::Tcb::microcode, -1); }, Errc::tcb_mismatch},
    {"TcbReservedOctet", [](RawReport& r) { r.reported_tcb[3] = 1; }, Errc::tcb_mismatch},
    {"ChipOther", [](RawReport& r) { r.chip_id[63] ^= 1; }, Errc::chip_id_mismatch},
    {"AlgorithmOther", [](RawReport& r) { r.signature_algo = 2; }, Errc::signature_invalid},
    {"ReportedAboveCommitted", [](RawReport& r) { r.committed_tcb = tcb_with(Product::milan, &snp::Tcb::snp, -1); },
     Errc::tcb_order},
    {"CurrentTcbReservedOctet", [](RawReport& r) { r.current_tcb[2] = 1; }, Errc::report_reserved},
    {"CommittedTcbReservedOctet", [](RawReport& r) { r.committed_tcb[5] = 1; }, Errc::report_reserved},
    {"LaunchTcbReservedOctet", [](RawReport& r) { r.launch_tcb[4] = 1; }, Errc::report_reserved},
    {"CommittedMajorAboveCurrent",
     [](RawReport& r) {
       r.committed = {0, 0, 1, 0};
     },
     Errc::tcb_order},
    {"CommittedBuildAboveCurrent",
     [](RawReport& r) {
       r.current = {29, 55, 1, 0};
       r.committed = {30, 55, 1, 0};
     },
     Errc::tcb_order},
    {"PolicyBit25BeforeVersion5", [](RawReport& r) { r.policy = 0x30000 | 1ULL << 25; }, Errc::report_policy_bits},
    {"ChipKeyMaskedAndUsed", [](RawReport& r) { r.key_flags = 2; }, Errc::report_contradiction},
    {"SmtThoughForbidden",
     [](RawReport& r) {
       r.policy = 0x20000;
       r.platform_info = 1;
     },
     Errc::launch_policy_broken},
    {"CommittedAboveCurrent", [](RawReport& r) { r.current_tcb = tcb_with(Product::milan, &snp::Tcb::tee, -1); },
     Errc::tcb_order},
};

TEST(VerifyReport, RefusesOneWrongThing) {
  const Vek vek = vek_of(Product::milan);
  for (const Change& each : kChanges) {
    SCOPED_TRACE(each.name);
    RawReport report = test::report_for(Product::milan);
    each.change(report);
    test::sign(report, test::vek_key());
    Steps passed;
    const auto verified = verify_report(report, vek, &passed);
    ASSERT_FALSE(verified);
    const bool well_formed = check_form(snp::octets_of(report)).has_value();
    test::expect_declared(well_formed ? 7 + passed.size() : 0, verified.error().code);
    EXPECT_STREQ(error_name(verified.error().code), error_name(each.expected)) << verified.error().text();
  }
}

TEST(VerifyReport, AcceptsTheFourVmplsAndNamesAnotherOne) {
  const Vek vek = vek_of(Product::milan);
  for (const std::uint32_t vmpl : {0U, 1U, 2U, 3U, 4U}) {
    RawReport report = test::report_for(Product::milan);
    report.vmpl = vmpl;
    test::sign(report, test::vek_key());
    const auto verified = verify_report(report, vek);
    ASSERT_EQ(verified.has_value(), vmpl < 4) << vmpl;
    if (verified) continue;
    EXPECT_EQ(verified.error().field, "report VMPL");
    EXPECT_EQ(verified.error().expected, "at most 3");
    EXPECT_EQ(verified.error().found, "4");
  }
}

TEST(VerifyReport, AcceptsEveryProductAndVersion) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    const Vek vek = vek_of(product);
    for (const std::uint32_t version : {2U, 3U, 5U}) {
      RawReport report = test::report_for(product);
      report.version = version;
      if (version == 2) report.cpuid_family = report.cpuid_model = 0;
      test::sign(report, test::vek_key());
      const auto verified = verify_report(report, vek);
      ASSERT_TRUE(verified) << product_name(product) << version << verified.error().text();
      EXPECT_FALSE(verified->chip_id_masked());
    }
  }
}

TEST(VerifyReport, StatesAMaskedChipId) {
  RawReport report = test::report_for(Product::milan);
  report.chip_id = {};
  test::sign(report, test::vek_key());
  Steps steps;
  const auto verified = verify_report(report, vek_of(Product::milan), &steps);
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_TRUE(verified->chip_id_masked());
  EXPECT_EQ(steps.at(3).check, "chip id");
  EXPECT_EQ(steps.at(3).found, "not compared: masked (all zero)");
}

TEST(VerifyReport, OrdersTheTcbOfARunningUpdate) {
  RawReport report = test::report_for(Product::milan);
  report.committed_tcb = tcb_with(Product::milan, &snp::Tcb::microcode, 1);
  report.current_tcb = tcb_with(Product::milan, &snp::Tcb::microcode, 2);
  test::sign(report, test::vek_key());
  EXPECT_TRUE(verify_report(report, vek_of(Product::milan)));
}

// CURRENT_TCB falls below it when a host leaves firmware that it did not commit while the guest runs.
TEST(VerifyReport, PutsTheLaunchTcbInNoOrder) {
  for (const int delta : {-1, 0, 1}) {
    RawReport report = test::report_for(Product::milan);
    report.launch_tcb = tcb_with(Product::milan, &snp::Tcb::snp, delta);
    test::sign(report, test::vek_key());
    const auto verified = verify_report(report, vek_of(Product::milan));
    EXPECT_TRUE(verified) << delta << verified.error().text();
  }
}

TEST(VerifyReport, RefusesAnotherFormOfTheSignature) {
  const Vek vek = vek_of(Product::milan);
  RawReport good = test::report_for(Product::milan);
  test::sign(good, test::vek_key());
  ASSERT_TRUE(verify_report(good, vek));
  const std::function<void(snp::RawSignature&)> changes[] = {
      [](snp::RawSignature& s) { s.r[0] ^= 1; },
      [](snp::RawSignature& s) { s.s[47] ^= 1; },
      [](snp::RawSignature& s) { s.r[48] = 1; },
      [](snp::RawSignature& s) { s.s[71] = 1; },
      [](snp::RawSignature& s) { std::ranges::fill(s.r, std::uint8_t{0}); },
      [](snp::RawSignature& s) { std::ranges::fill(s.s, std::uint8_t{0}); },
      [](snp::RawSignature& s) { std::ranges::fill(std::span(s.s).first(48), std::uint8_t{0xff}); },
      [](snp::RawSignature& s) { std::ranges::reverse(std::span(s.r).first(48)); },
      [](snp::RawSignature& s) { std::swap(s.r, s.s); },
  };
  for (const auto& change : changes) {
    RawReport report = good;
    change(report.signature);
    const auto verified = verify_report(report, vek);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, Errc::signature_invalid);
  }
  good.signature.reserved[367] = 1;
  EXPECT_EQ(verify_report(good, vek).error().code, Errc::report_reserved);
}

TEST(VerifyReport, UnderAVlekComparesNoChip) {
  RawReport report = test::report_for(Product::genoa);
  report.key_flags = kVlekFlag;
  test::sign(report, test::vek_key());
  const auto verified = verify_report(report, vek_of(Product::genoa, Certificate::Kind::vlek));
  ASSERT_TRUE(verified) << verified.error().text();
}

class SelectVek : public testing::Test {
 protected:
  const RawReport report_ = signed_report();
  static RawReport signed_report() {
    RawReport report = test::report_for(Product::milan);
    test::sign(report, test::vek_key());
    return report;
  }
  static Spec other_chip() {
    Spec spec = test::vcek_spec(Product::milan);
    spec.extension(test::amd_oid("4")).octets[5] ^= 1;
    return spec;
  }
  static Spec other_tcb() {
    Spec spec = test::vcek_spec(Product::milan);
    spec.extension(test::amd_oid("3.3")).octets = {0x02, 0x01, 0x17};
    return spec;
  }
  static Spec malformed() {
    Spec spec = test::vcek_spec(Product::milan);
    spec.drop(test::amd_oid("3.5"));
    return spec;
  }
};

TEST_F(SelectVek, PicksByKindChipAndTcb) {
  const Certificate right = make(test::vcek_spec(Product::milan));
  const auto chosen =
      select_vek(report_, std::vector{make(test::vlek_spec(Product::milan)), make(other_chip()), make(malformed()),
                                      make(other_tcb()), make(test::vcek_spec(Product::turin)), right});
  ASSERT_TRUE(chosen) << chosen.error().text();
  EXPECT_EQ(*chosen, right);
}

TEST_F(SelectVek, NamesTheNearestCandidate) {
  const auto code = [&](std::vector<Certificate> candidates) {
    const auto chosen = select_vek(report_, candidates);
    if (chosen) return Errc{};
    test::expect_declared(1, chosen.error().code);
    return chosen.error().code;
  };
  EXPECT_EQ(code({}), Errc::certificate_missing);
  EXPECT_EQ(code({make(test::vlek_spec(Product::milan))}), Errc::certificate_missing);
  EXPECT_EQ(select_vek(report_, std::vector{make(test::vlek_spec(Product::milan))}).error().found,
            "no VCEK and 1 VLEK among 1 certificates");
  EXPECT_EQ(code({make(malformed())}), Errc::vek_extension);
  EXPECT_EQ(code({make(malformed()), make(test::vcek_spec(Product::turin))}), Errc::product_mismatch);
  EXPECT_EQ(code({make(other_chip()), make(test::vcek_spec(Product::turin))}), Errc::chip_id_mismatch);
  EXPECT_EQ(code({make(other_chip()), make(other_tcb()), make(malformed())}), Errc::tcb_mismatch);
}

TEST_F(SelectVek, OfSeveralTakesTheOneWhoseKeySigned) {
  RawReport masked = test::report_for(Product::milan);
  masked.chip_id = {};
  test::sign(masked, test::vek_key());
  Spec foreign = other_chip();
  foreign.key = test::explicit_p384_key();
  foreign.not_after = "2040-01-01T00:00:00Z";
  Spec expired = test::vcek_spec(Product::milan);
  expired.not_after = "2024-06-01T00:00:00Z";
  const Certificate right = make(test::vcek_spec(Product::milan));
  const auto chosen = select_vek(masked, std::vector{make(foreign), make(expired), right});
  ASSERT_TRUE(chosen) << chosen.error().text();
  EXPECT_EQ(*chosen, right);
}

TEST_F(SelectVek, RefusesAnUnsignedReport) {
  RawReport report = report_;
  report.key_flags = 7U << 2;
  EXPECT_EQ(select_vek(report, std::vector{make(test::vcek_spec(Product::milan))}).error().code, Errc::report_unsigned);
}

}  // namespace
}  // namespace attestbed::verify
