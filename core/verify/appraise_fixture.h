// SPDX-License-Identifier: Apache-2.0
#pragma once

// For the tests of appraise: reports that verified, and what was found of a check.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/verify/appraise.h"
#include "core/verify/test_ca.h"

namespace attestbed::verify::test {

/// verified is report_for(milan) after `change`, signed and verified.
inline VerifiedReport verified(const std::function<void(snp::RawReport&)>& change) {
  snp::RawReport report = report_for(snp::Product::milan);
  change(report);
  sign(report, vek_key());
  const auto roots = TrustedRoots::from_certificates(std::vector{make(ark_spec("Milan"))});
  const auto vek = verify_chain(make(vcek_spec(snp::Product::milan)), std::vector{make(ask_spec("Milan"))}, *roots,
                                at("2025-10-01T00:00:00Z"));
  EXPECT_TRUE(vek) << vek.error().text();
  const auto made = verify_report(report, *vek);
  EXPECT_TRUE(made) << made.error().text();
  return *made;
}

/// rich is a report in which everything that a policy may ask for is there.
inline void rich(snp::RawReport& r) {
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

inline Outcome outcome_of(const std::vector<Finding>& findings, std::string_view check) {
  const auto found = std::ranges::find(findings, check, [](const Finding& one) { return std::string_view(one.check); });
  EXPECT_NE(found, findings.end()) << check;
  return found == findings.end() ? Outcome::not_asked : found->outcome;
}

}  // namespace attestbed::verify::test
