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
       r.policy = r.policy & ~(1ULL << 25);
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
    {"platform smt", [](Policy& p) { p.platform.allow_smt = false; },
     [](auto& r) {
       r.platform_info = 0x3d;
       r.policy = r.policy | 1U << 16;
     }},
    {"platform tsme", [](Policy& p) { p.platform.allow_tsme = false; }, [](auto& r) { r.platform_info = 0x3e; }},
    {"platform ecc", [](Policy& p) { p.platform.require_ecc = true; }, [](auto& r) { r.platform_info = 0x38; }},
    {"platform rapl", [](Policy& p) { p.platform.require_rapl_disabled = true; },
     [](auto& r) {
       r.platform_info = 0x34;
       r.policy = r.policy & ~(1ULL << 23);
     }},
    {"platform ciphertext hiding", [](Policy& p) { p.platform.require_ciphertext_hiding = true; },
     [](auto& r) {
       r.platform_info = 0x2c;
       r.policy = r.policy & ~(1ULL << 24);
     }},
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
    {"author key", [](Policy& p) { p.require_author_key = true; },
     [](auto& r) {
       r.key_flags = 0;
       r.author_key_digest = {};
     }},
};

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

}  // namespace
}  // namespace attestbed::verify
