// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/verify/verify.h"
#include "sim/firmware.h"
#include "sim/launch_config.h"
#include "sim/make_report.h"

// The verifier and the simulated machine know nothing of each other; both follow AMD.
namespace attestbed {
namespace {

using namespace std::chrono;

const verify::Time kNow = sys_days(2026y / 1 / 1);

class SimulatedChip : public testing::TestWithParam<snp::Product> {
 protected:
  SimulatedChip() {
    authority_ =
        std::make_shared<const sim::CertificateAuthority>(*sim::CertificateAuthority::of_default_seed(GetParam()));
    config_ = {sim::Machine::of(authority_), sim::kDefaultPolicy, {}, {}, sim::Seed{1}};
    const auto guest = sim::launch_guest(config_, 1);
    report_ = *sim::make_report(config_.machine, *guest, {.report_data = {1, 2, 3}});
  }
  static verify::Certificate parsed(const sim::Der& der, const char* name) {
    return verify::Certificate::parse(der, name)->front();
  }
  verify::Checked<verify::Vek> chain(verify::Time at, const verify::TrustedRoots& roots) const {
    const verify::Certificate others[] = {parsed(authority_->ask(), "ask")};
    return verify::verify_chain(parsed(authority_->vcek(), "vcek"), others, roots, at);
  }
  verify::TrustedRoots own_root() const {
    const verify::Certificate ark[] = {parsed(authority_->ark(), "ark")};
    return *verify::TrustedRoots::from_certificates(ark);
  }
  std::shared_ptr<const sim::CertificateAuthority> authority_;
  sim::LaunchConfig config_;
  snp::RawReport report_;
};

TEST_P(SimulatedChip, IsAcceptedUnderItsOwnRoot) {
  const auto vek = chain(kNow, own_root());
  ASSERT_TRUE(vek) << vek.error().text();
  EXPECT_EQ(vek->product(), GetParam());
  EXPECT_EQ(vek->tcb(), authority_->tcb());
  const auto verified = verify::verify_report(report_, *vek);
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_TRUE(text_of(verified->report().chip_id)
                  .starts_with(GetParam() == snp::Product::turin ? "abed-sim" : "attestbed-sim"));
  EXPECT_TRUE(own_root().simulated());
}

TEST_P(SimulatedChip, IsRefusedUnderAmdsRoots) {
  const auto vek = chain(kNow, verify::TrustedRoots::amd());
  ASSERT_FALSE(vek);
}

TEST_P(SimulatedChip, ExpiresWithItsVcek) {
  EXPECT_EQ(chain(sys_days(2032y / 1 / 2), own_root()).error().code, Errc::chain_expired);
  EXPECT_EQ(chain(sys_days(2024y / 12 / 31), own_root()).error().code, Errc::chain_not_yet_valid);
}

TEST_P(SimulatedChip, IsRefusedWhenTheReportIsChanged) {
  const auto vek = chain(kNow, own_root());
  ASSERT_TRUE(vek);
  snp::RawReport changed = report_;
  changed.measurement[0] ^= 1;
  EXPECT_EQ(verify::verify_report(changed, *vek).error().code, Errc::signature_invalid);
}

TEST_P(SimulatedChip, IsAcceptedInEveryVersionUnderBothKeysAndMasked) {
  const auto vcek = chain(kNow, own_root());
  const verify::Certificate asvk[] = {parsed(authority_->asvk(), "asvk")};
  const auto vlek = verify::verify_chain(parsed(authority_->vlek(), "vlek"), asvk, own_root(), sys_days(2031y / 1 / 1));
  ASSERT_TRUE(vcek) << vcek.error().text();
  ASSERT_TRUE(vlek) << vlek.error().text();
  for (const std::uint32_t version : {2U, 3U, 5U}) {
    for (const snp::SigningKey key : {snp::SigningKey::vcek, snp::SigningKey::vlek}) {
      for (const bool masked : {false, true}) {
        sim::Machine machine = config_.machine;
        machine.report_version = version;
        machine.vlek_loaded = key == snp::SigningKey::vlek;
        machine.mask_chip_id = masked;
        const auto report = sim::make_report(machine, *sim::launch_guest(config_, 1), {.key = key});
        ASSERT_TRUE(report) << version;
        const verify::Vek& right = key == snp::SigningKey::vcek ? *vcek : *vlek;
        const verify::Vek& wrong = key == snp::SigningKey::vcek ? *vlek : *vcek;
        const auto verified = verify::verify_report(*report, right);
        ASSERT_TRUE(verified) << version << verified.error().text();
        EXPECT_EQ(verified->chip_id_masked(), masked);
        EXPECT_FALSE(verify::verify_report(*report, wrong));
      }
    }
  }
}

TEST_P(SimulatedChip, WithItsKeyMaskedSignsNothingThatIsAccepted) {
  sim::Machine machine = config_.machine;
  machine.mask_chip_key = true;
  const auto report = sim::make_report(machine, *sim::launch_guest(config_, 1), {.key = snp::SigningKey::none});
  ASSERT_TRUE(report);
  const auto vek = chain(kNow, own_root());
  EXPECT_EQ(verify::verify_report(*report, *vek).error().code, Errc::report_unsigned);
}

TEST_P(SimulatedChip, AtAnotherTcbHasTheKeyThatIsIssuedForIt) {
  snp::Tcb newer = authority_->tcb();
  ++newer.snp;
  const auto configured = authority_->at_tcb(newer);
  ASSERT_TRUE(configured);
  sim::Machine machine = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*configured));
  const auto report = sim::make_report(machine, *sim::launch_guest(config_, 1), {});
  ASSERT_TRUE(report);
  const auto issued = authority_->issue_vcek(authority_->hardware_id(), newer);
  ASSERT_TRUE(issued);
  const verify::Certificate others[] = {parsed(authority_->ask(), "ask")};
  const auto vek = verify::verify_chain(parsed(*issued, "vcek"), others, own_root(), kNow);
  ASSERT_TRUE(vek) << vek.error().text();
  EXPECT_TRUE(verify::verify_report(*report, *vek));
  EXPECT_EQ(verify::verify_report(report_, *vek).error().code, Errc::tcb_mismatch);
}

TEST_P(SimulatedChip, EveryFlippedBitAndTruncationOfItsReportIsRefused) {
  const auto vek = chain(kNow, own_root());
  ASSERT_TRUE(vek);
  sim::Machine machine = config_.machine;
  machine.report_version = 5;
  const snp::RawReport report = *sim::make_report(machine, *sim::launch_guest(config_, 1), {.report_data = {1, 2, 3}});
  ASSERT_TRUE(verify::verify_report(report, *vek));
  for (std::size_t size = 0; size < snp::kReportBytes; ++size) {
    ASSERT_FALSE(verify::check_form(snp::octets_of(report).first(size))) << size;
  }
  // Every bit on one product; on the others a stride that is coprime to 8 meets each position.
  const std::size_t stride = GetParam() == snp::Product::genoa ? 1 : 7;
  for (std::size_t bit = 0; bit < snp::kReportBytes * 8; bit += stride) {
    snp::RawReport changed = report;
    reinterpret_cast<std::uint8_t*>(&changed)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(verify::verify_report(changed, *vek)) << "bit " << bit;
  }
}

INSTANTIATE_TEST_SUITE_P(Products, SimulatedChip,
                         testing::Values(snp::Product::milan, snp::Product::genoa, snp::Product::turin),
                         [](const auto& test) { return std::string(snp::product_name(test.param)); });

}  // namespace
}  // namespace attestbed
