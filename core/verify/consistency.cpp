// SPDX-License-Identifier: Apache-2.0
#include "core/verify/consistency.h"

#include <utility>

namespace attestbed::verify {
namespace {

constexpr ByteArray<48> kNoDigest{};

/// check_keys: an author key signs an ID key, and both digests are then there; without one there is none to show.
Checked<void> check_keys(const snp::RawReport& report) {
  const auto refuse = [](const char* field, const char* expected, std::string found) {
    return Refusal{Errc::report_contradiction, field, expected, std::move(found)};
  };
  const bool author = report.author_key_digest != kNoDigest;
  if (!snp::author_key_enabled(report.key_flags)) {
    if (!author) return {};
    return refuse("AUTHOR_KEY_DIGEST", "zero, since AUTHOR_KEY_EN is clear", hex_text(report.author_key_digest));
  }
  if (!author) return refuse("AUTHOR_KEY_DIGEST", "a digest, since AUTHOR_KEY_EN is set", "zero");
  if (report.id_key_digest == kNoDigest) {
    return refuse("ID_KEY_DIGEST", "a digest, since AUTHOR_KEY_EN says that an author key signed the ID key", "zero");
  }
  return {};
}

Checked<void> check_signer(const snp::RawReport& report) {
  const bool by_vcek = snp::signing_key_bits(report.key_flags) == static_cast<std::uint32_t>(snp::SigningKey::vcek);
  if (!by_vcek || !snp::chip_key_masked(report.key_flags)) return {};
  return Refusal{Errc::report_contradiction, "SIGNING_KEY", "1 (VLEK) or 7 (none), since MASK_CHIP_KEY is set",
                 "0 (VCEK)"};
}

/// PlatformRule is a bit of POLICY and the bit of PLATFORM_INFO that it decides about: `demanded` is what the platform
/// has to be while the policy bit is `when`. Neither changes while a guest runs.
struct PlatformRule {
  const char* field;
  unsigned policy_bit;
  bool when;
  unsigned platform_bit;
  bool demanded;
  const char* expected;
};
constexpr PlatformRule kPlatformRules[] = {
    {"PLATFORM_INFO.SMT_EN", 16, false, 0, false, "clear, since POLICY.SMT is clear"},
    {"PLATFORM_INFO.RAPL_DIS", 23, true, 3, true, "set, since POLICY.RAPL_DIS is set"},
    {"PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN", 24, true, 4, true, "set, since POLICY.CIPHERTEXT_HIDING_DRAM is set"},
};

bool bit_of(std::uint64_t bits, unsigned bit) {
  return (bits >> bit & 1) != 0;
}

Checked<void> check_platform(const snp::RawReport& report) {
  for (const PlatformRule& rule : kPlatformRules) {
    const bool found = bit_of(report.platform_info, rule.platform_bit);
    if (bit_of(report.policy, rule.policy_bit) == rule.when && found != rule.demanded) {
      return Refusal{Errc::launch_policy_broken, rule.field, rule.expected, found ? "set" : "clear"};
    }
  }
  return {};
}

Checked<void> check_abi(const snp::RawReport& report) {
  const std::uint64_t policy = report.policy;
  const std::pair minimum{static_cast<unsigned>(policy >> 8 & 0xff), static_cast<unsigned>(policy & 0xff)};
  const std::pair current{unsigned{report.current.major}, unsigned{report.current.minor}};
  if (current >= minimum) return {};
  const auto text = [](const auto& version) {
    return std::to_string(version.first) + "." + std::to_string(version.second);
  };
  return Refusal{Errc::launch_policy_broken, "CURRENT_MAJOR, CURRENT_MINOR",
                 "at least POLICY's ABI_MAJOR.ABI_MINOR " + text(minimum), text(current)};
}

}  // namespace

Checked<void> check_consistency(const snp::RawReport& report) {
  TRY(check_keys(report));
  TRY(check_signer(report));
  TRY(check_platform(report));
  return check_abi(report);
}

}  // namespace attestbed::verify
