// SPDX-License-Identifier: Apache-2.0
#include "core/verify/appraise.h"

#include <array>

#include "core/verify/policy_rules.h"
#include "core/verify/report_rules.h"

namespace attestbed::verify {
namespace {

using Kind = Certificate::Kind;

/// Subject is what a rule looks at.
struct Subject {
  const VerifiedReport& verified;
  const Policy& policy;
  const snp::RawReport& report = verified.report();
  snp::Product product = verified.vek().product();

  bool policy_bit(unsigned bit) const { return (report.policy >> bit & 1) != 0; }
  bool platform_bit(unsigned bit) const { return (report.platform_info >> bit & 1) != 0; }
  snp::Tcb tcb(const snp::TcbVersion& octets) const { return snp::decode_tcb(product, octets); }
};

// 56860, PLATFORM_INFO: what is not among its documented bits 5:0 and 7.
constexpr std::uint64_t kUndocumentedPlatformBits = ~std::uint64_t{0xbf};

Judged product(const Subject& s) {
  if (s.policy.products.empty()) return {};
  return judged(std::ranges::find(s.policy.products, s.product) != s.policy.products.end(),
                text_of_list(s.policy.products, snp::product_name), snp::product_name(s.product));
}

Judged signing_key(const Subject& s) {
  if (s.policy.signing_keys.empty()) return {};
  const Kind kind = s.verified.vek().kind();
  return judged(std::ranges::find(s.policy.signing_keys, kind) != s.policy.signing_keys.end(),
                text_of_list(s.policy.signing_keys, kind_name), kind_name(kind));
}

Judged csp_id(const Subject& s) {
  if (s.policy.csp_ids.empty()) return {};
  const std::string& id = s.verified.vek().certificate().vek_extensions()->csp_id;
  return judged(std::ranges::find(s.policy.csp_ids, id) != s.policy.csp_ids.end(),
                text_of_list(s.policy.csp_ids, [](const std::string& one) { return printable(one); }),
                id.empty() ? "none: signed by a VCEK" : printable(id));
}

Judged masked_chip(const Subject& s) {
  if (!s.policy.allow_masked_chip) return {};
  const bool masked = s.verified.chip_id_masked();
  return judged(!masked || *s.policy.allow_masked_chip, *s.policy.allow_masked_chip ? "any" : "a chip id",
                masked ? "masked (all zero)" : "a chip id");
}

Judged undocumented_bits(const Subject& s) {
  return bit_allowed(s.policy.platform.allow_undocumented_bits,
                     (s.report.platform_info & kUndocumentedPlatformBits) != 0);
}

/// launched_above_committed: the guest was launched by firmware that the host never committed and has left since.
bool launched_above_committed(const Subject& s) {
  const snp::Tcb launch = s.tcb(s.report.launch_tcb), committed = s.tcb(s.report.committed_tcb);
  return std::ranges::any_of(tcb_components(s.product),
                             [&](const TcbComponent& each) { return launch.*each.level > committed.*each.level; });
}

Judged provisional(const Subject& s) {
  if (!s.policy.allow_provisional_firmware) return {};
  const snp::FirmwareVersion &current = s.report.current, &committed = s.report.committed;
  const bool same = s.report.committed_tcb == s.report.current_tcb && committed.major == current.major &&
                    committed.minor == current.minor && committed.build == current.build;
  const bool allowed = *s.policy.allow_provisional_firmware;
  const char* const expected =
      allowed ? "any" : "equal to the current TCB and firmware version, and nowhere below LAUNCH_TCB";
  if (!same) return judged(allowed, expected, "older than the current: the host may still go back");
  return judged(
      allowed || !launched_above_committed(s), expected,
      launched_above_committed(s) ? "below LAUNCH_TCB: the host went back from what launched the guest" : "equal");
}

Judged vmpl(const Subject& s) {
  if (!s.policy.vmpl) return {};
  return judged(s.report.vmpl == *s.policy.vmpl, std::to_string(*s.policy.vmpl), std::to_string(s.report.vmpl));
}

Judged max_vmpl(const Subject& s) {
  if (!s.policy.max_vmpl) return {};
  return judged(s.report.vmpl <= *s.policy.max_vmpl, "at most " + std::to_string(*s.policy.max_vmpl),
                std::to_string(s.report.vmpl));
}

VersionBound current_firmware(const Subject& s) {
  return {s.report.current.major, s.report.current.minor};
}
VersionBound policy_abi(const Subject& s) {
  const std::uint64_t bits = s.report.policy;
  return {static_cast<std::uint8_t>(bits >> 8 & 0xff), static_cast<std::uint8_t>(bits & 0xff)};
}

struct Rule {
  PolicyCheck check;
  const char* field;
  Judged (*judge)(const Subject&);
};
using S = const Subject&;

// Who is it, may it be trusted at all, then what runs in it: what is refused first is what explains the rest.
constexpr std::array kRules{
    Rule{{"product", Errc::product_refused}, "product", product},
    Rule{{"signing key", Errc::signing_key_refused}, "SIGNING_KEY", signing_key},
    Rule{{"csp id", Errc::signing_key_refused}, "VLEK.CSP_ID", csp_id},
    Rule{{"masked chip", Errc::chip_id_masked}, "CHIP_ID", masked_chip},
    Rule{{"chip", Errc::chip_refused},
         "CHIP_ID",
         [](S s) { return listed_octets(s.policy.chip_ids, s.report.chip_id); }},
    Rule{{"report version", Errc::report_too_old},
         "VERSION",
         [](S s) { return at_least(s.policy.minimum_report_version, s.report.version); }},
    Rule{{"vmpl", Errc::vmpl_too_high}, "VMPL", max_vmpl},
    Rule{{"exact vmpl", Errc::vmpl_too_high}, "VMPL", vmpl},
    Rule{{"debug", Errc::debug_enabled},
         "POLICY.DEBUG",
         [](S s) { return bit_allowed(s.policy.allow_debug, s.policy_bit(19)); }},
    Rule{{"migration agent", Errc::policy_mismatch},
         "POLICY.MIGRATE_MA",
         [](S s) { return bit_allowed(s.policy.allow_migration_agent, s.policy_bit(18)); }},
    Rule{{"smt", Errc::policy_mismatch},
         "POLICY.SMT",
         [](S s) { return bit_allowed(s.policy.allow_smt, s.policy_bit(16)); }},
    Rule{{"cxl", Errc::policy_mismatch},
         "POLICY.CXL_ALLOW",
         [](S s) { return bit_allowed(s.policy.allow_cxl, s.policy_bit(21)); }},
    Rule{{"single socket", Errc::policy_mismatch},
         "POLICY.SINGLE_SOCKET",
         [](S s) { return bit_required(s.policy.require_single_socket, s.policy_bit(20)); }},
    Rule{{"aes-256-xts", Errc::policy_mismatch},
         "POLICY.MEM_AES_256_XTS",
         [](S s) { return bit_required(s.policy.require_aes_256_xts, s.policy_bit(22)); }},
    Rule{{"rapl", Errc::policy_mismatch},
         "POLICY.RAPL_DIS",
         [](S s) { return bit_required(s.policy.require_rapl_disabled, s.policy_bit(23)); }},
    Rule{{"ciphertext hiding", Errc::policy_mismatch},
         "POLICY.CIPHERTEXT_HIDING_DRAM",
         [](S s) { return bit_required(s.policy.require_ciphertext_hiding, s.policy_bit(24)); }},
    Rule{{"page swap", Errc::policy_mismatch},
         "POLICY.PAGE_SWAP_DISABLE",
         [](S s) { return bit_required(s.policy.require_page_swap_disabled, s.policy_bit(25)); }},
    Rule{{"abi", Errc::policy_mismatch},
         "POLICY.ABI_MAJOR, ABI_MINOR",
         [](S s) { return version_at_least(s.policy.minimum_abi, policy_abi(s)); }},
    Rule{{"platform smt", Errc::platform_refused},
         "PLATFORM_INFO.SMT_EN",
         [](S s) { return bit_allowed(s.policy.platform.allow_smt, s.platform_bit(0)); }},
    Rule{{"platform tsme", Errc::platform_refused},
         "PLATFORM_INFO.TSME_EN",
         [](S s) { return bit_allowed(s.policy.platform.allow_tsme, s.platform_bit(1)); }},
    Rule{{"platform ecc", Errc::platform_refused},
         "PLATFORM_INFO.ECC_EN",
         [](S s) { return bit_required(s.policy.platform.require_ecc, s.platform_bit(2)); }},
    Rule{{"platform rapl", Errc::platform_refused},
         "PLATFORM_INFO.RAPL_DIS",
         [](S s) { return bit_required(s.policy.platform.require_rapl_disabled, s.platform_bit(3)); }},
    Rule{{"platform ciphertext hiding", Errc::platform_refused},
         "PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN",
         [](S s) { return bit_required(s.policy.platform.require_ciphertext_hiding, s.platform_bit(4)); }},
    Rule{{"platform alias check", Errc::platform_refused},
         "PLATFORM_INFO.ALIAS_CHECK_COMPLETE",
         [](S s) { return bit_required(s.policy.platform.require_alias_check, s.platform_bit(5)); }},
    Rule{{"platform sev-tio", Errc::platform_refused},
         "PLATFORM_INFO.SEV_TIO_EN",
         [](S s) { return bit_allowed(s.policy.platform.allow_sev_tio, s.platform_bit(7)); }},
    Rule{{"platform undocumented bits", Errc::platform_refused}, "PLATFORM_INFO bits 6 and 63:8", undocumented_bits},
    Rule{{"tcb", Errc::tcb_too_low},
         "REPORTED_TCB",
         [](S s) { return tcb_at_least(s.policy.minimum_tcb, s.tcb(s.report.reported_tcb), s.product); }},
    Rule{{"launch tcb", Errc::tcb_too_low},
         "LAUNCH_TCB",
         [](S s) { return tcb_at_least(s.policy.minimum_launch_tcb, s.tcb(s.report.launch_tcb), s.product); }},
    Rule{{"firmware version", Errc::firmware_too_old},
         "CURRENT_MAJOR, CURRENT_MINOR",
         [](S s) { return version_at_least(s.policy.minimum_firmware, current_firmware(s)); }},
    Rule{{"firmware build", Errc::firmware_too_old},
         "CURRENT_BUILD",
         [](S s) { return at_least(s.policy.minimum_firmware_build, s.report.current.build); }},
    Rule{{"provisional firmware", Errc::firmware_provisional}, "COMMITTED_TCB, COMMITTED version", provisional},
    Rule{{"launch mitigations", Errc::mitigation_missing},
         "LAUNCH_MIT_VECTOR",
         [](S s) { return bits_present(s.policy.launch_mitigations, s.report.launch_mit_vector); }},
    Rule{{"current mitigations", Errc::mitigation_missing},
         "CURRENT_MIT_VECTOR",
         [](S s) { return bits_present(s.policy.current_mitigations, s.report.current_mit_vector); }},
    Rule{{"measurement", Errc::measurement_unknown},
         "MEASUREMENT",
         [](S s) { return listed_octets(s.policy.measurements, s.report.measurement); }},
    Rule{{"host data", Errc::host_data_mismatch},
         "HOST_DATA",
         [](S s) { return same_octets(s.policy.host_data, s.report.host_data); }},
    Rule{{"report data", Errc::report_data_mismatch},
         "REPORT_DATA",
         [](S s) { return same_octets(s.policy.report_data, s.report.report_data); }},
    Rule{{"guest svn", Errc::guest_svn_too_low},
         "GUEST_SVN",
         [](S s) { return at_least(s.policy.minimum_guest_svn, s.report.guest_svn); }},
    Rule{{"family id", Errc::identity_mismatch},
         "FAMILY_ID",
         [](S s) { return same_octets(s.policy.family_id, s.report.family_id); }},
    Rule{{"image id", Errc::identity_mismatch},
         "IMAGE_ID",
         [](S s) { return same_octets(s.policy.image_id, s.report.image_id); }},
    Rule{{"report id", Errc::identity_mismatch},
         "REPORT_ID",
         [](S s) { return same_octets(s.policy.report_id, s.report.report_id); }},
    Rule{{"report id of the migration agent", Errc::identity_mismatch},
         "REPORT_ID_MA",
         [](S s) { return same_octets(s.policy.report_id_ma, s.report.report_id_ma); }},
    Rule{{"id key", Errc::id_key_untrusted}, "ID_KEY_DIGEST", [](S s) { return id_key(s.policy, s.report); }},
    Rule{{"author key", Errc::author_key_untrusted},
         "AUTHOR_KEY_DIGEST",
         [](S s) { return author_key(s.policy, s.report); }},
};

constexpr auto kChecks = [] {
  std::array<PolicyCheck, kRules.size()> checks{};
  for (std::size_t i = 0; i < checks.size(); ++i) checks[i] = kRules[i].check;
  return checks;
}();

Finding find(const Rule& rule, const Subject& subject) {
  Judged judged = rule.judge(subject);
  return {rule.check.name,        judged.outcome, rule.check.code, rule.field, std::move(judged.expected),
          std::move(judged.found)};
}

}  // namespace

std::vector<Finding> appraise_all(const VerifiedReport& verified, const Policy& policy) {
  const Subject subject{.verified = verified, .policy = policy};
  std::vector<Finding> findings;
  findings.reserve(kRules.size());
  for (const Rule& rule : kRules) findings.push_back(find(rule, subject));
  return findings;
}

Checked<void> appraise(const VerifiedReport& verified, const Policy& policy) {
  const Subject subject{.verified = verified, .policy = policy};
  for (const Rule& rule : kRules) {
    const Finding finding = find(rule, subject);
    if (finding.outcome == Outcome::failed) return finding.refusal();
  }
  return {};
}

std::span<const PolicyCheck> policy_checks() {
  return kChecks;
}

}  // namespace attestbed::verify
