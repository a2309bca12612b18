// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/verify.h"

namespace attestbed::fuzz {

/// AmdSamples are the public reports and certificates of core/verify/testdata: what AMD really signed, as far as we
/// know.
struct AmdSamples {
  std::vector<std::string> reports;
  std::vector<verify::Certificate> certificates;
  std::vector<verify::Vek> veks;  // those whose chain holds on 2025-10-01

  bool has_certificate(const verify::Certificate& certificate) const;
  /// has_signed_part looks at the octets that a signature covers: ECDSA signatures themselves can be varied.
  bool has_signed_part(const snp::RawReport& report) const;
};

inline constexpr verify::Time kSampleTime{std::chrono::sys_days{std::chrono::year{2025} / 10 / 1}};

/// amd_samples reads them at first use, and ends the program if it cannot.
const AmdSamples& amd_samples();

}  // namespace attestbed::fuzz
