// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/verify/verify.h"

namespace attestbed::tools {

/// Verdict is what `attestbed verify` found out, for both of its outputs.
///   refused  one entry for each chain that failed (--cert-only), for a report that did not verify, or for each
///            demand of the policy that a verified one does not meet
struct Verdict {
  std::string report_path;  // empty: none was given
  std::string policy_path;  // empty: no policy was asked for
  verify::Time at;
  bool at_is_now = false;
  std::vector<verify::Certificate> roots;
  bool roots_are_amds = true;
  std::vector<std::string> warnings;
  verify::Steps passed;
  std::vector<verify::Refusal> refused;
  nlohmann::ordered_json facts;  // of the report: shown, not judged
  bool cert_only = false;
  bool simulated_chip = false;

  bool ok() const { return refused.empty(); }
};

std::string verdict_text(const Verdict& verdict);
nlohmann::ordered_json verdict_json(const Verdict& verdict);

}  // namespace attestbed::tools
