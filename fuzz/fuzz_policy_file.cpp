// SPDX-License-Identifier: Apache-2.0
// Property: a policy file is refused in one line that names file and line, or it is a policy: then a report fails with
// its first failed demand or with none, and a guest that its host may debug passes only where the policy allows debug.
#include <algorithm>

#include "fuzz/amd_samples.h"
#include "fuzz/must.h"
#include "tools/attestbed/policy_file.h"

using namespace attestbed;

namespace {

std::vector<verify::VerifiedReport> verified_samples() {
  const fuzz::AmdSamples& samples = fuzz::amd_samples();
  std::vector<verify::VerifiedReport> all;
  for (const std::string& octets : samples.reports) {
    const auto report = verify::check_form(bytes_of(octets));
    if (!report) continue;
    for (const verify::Vek& vek : samples.veks) {
      const auto verified = verify::verify_report(*report, vek);
      if (verified) all.push_back(*verified);
    }
  }
  fuzz::must(all.size() >= 7, "the samples verify");
  return all;
}

bool is_one_printable_line(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<verify::VerifiedReport> samples = verified_samples();
  const auto policy = tools::parse_policy(text_of(Bytes(data, size)), "p.toml");
  if (!policy) {
    const verify::Refusal& why = policy.error();
    fuzz::must(is_one_printable_line(why.text()), "a refusal is one line");
    fuzz::must(why.code == Errc::too_large || why.field.starts_with("p.toml:"), "it names the line");
    return 0;
  }
  for (const verify::VerifiedReport& report : samples) {
    const auto findings = verify::appraise_all(report, *policy);
    const auto failed = std::ranges::find(findings, verify::Outcome::failed, &verify::Finding::outcome);
    const auto first = verify::appraise(report, *policy);
    fuzz::must(first.has_value() == (failed == findings.end()), "appraise is appraise_all's first failure");
    fuzz::must(first || first.error().text() == failed->refusal().text(), "and the same one");
    fuzz::must(first || is_one_printable_line(first.error().text()), "in one line");
    const bool debug = (report.report().policy & snp::kPolicyDebug) != 0;
    fuzz::must(!first || !debug || policy->allow_debug, "debug passes only by name");
  }
  return 0;
}
