// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/verify/verify.h"
#include "sim/firmware.h"
#include "sim/launch_config.h"

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
    report_ = *sim::make_report(config_.machine, *guest, 0, {1, 2, 3});
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
  EXPECT_TRUE(text_of(verified->report().chip_id).starts_with("attestbed-sim"));
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

INSTANTIATE_TEST_SUITE_P(Products, SimulatedChip, testing::Values(snp::Product::milan, snp::Product::genoa),
                         [](const auto& test) { return std::string(snp::product_name(test.param)); });

}  // namespace
}  // namespace attestbed
