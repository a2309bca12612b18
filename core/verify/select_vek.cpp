// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/verify/certificate_impl.h"
#include "core/verify/report_rules.h"
#include "core/verify/signature.h"
#include "core/verify/verified_report.h"

namespace attestbed::verify {
namespace {

/// Fit is how far a candidate got: 0 malformed, 1 wrong product, 2 wrong chip, 3 wrong TCB, 4 fits. Another chip's
/// certificate is further from the right one than this chip's for another TCB.
struct Fit {
  int distance;
  Refusal why;
};

Fit fit_of(const snp::RawReport& report, const Certificate& candidate) {
  const Checked<VekExtensions>& extensions = candidate.vek_extensions();
  if (!extensions) return {0, extensions.error()};
  const Checked<void> product = check_product(report, *extensions);
  if (!product) return {1, product.error()};
  const Checked<void> chip = check_chip_id(report, *extensions);
  if (!chip) return {2, chip.error()};
  const Checked<void> tcb = check_reported_tcb(report, *extensions);
  if (!tcb) return {3, tcb.error()};
  return {4, {}};
}
constexpr int kFits = 4;

/// others_text says what there is instead, since people mix up the two kinds of VEK.
std::string others_text(Certificate::Kind wanted, std::span<const Certificate> candidates) {
  const Certificate::Kind other = wanted == Certificate::Kind::vcek ? Certificate::Kind::vlek : Certificate::Kind::vcek;
  const auto others = std::ranges::count(candidates, other, &Certificate::kind);
  return std::string("no ") + kind_name(wanted) + " and " + (others == 0 ? "no" : std::to_string(others)) + " " +
         kind_name(other) + " among " + std::to_string(candidates.size()) + " certificates";
}

Certificate best_of(const snp::RawReport& report, std::vector<Certificate>& fitting) {
  if (fitting.size() > 1) {
    std::ranges::stable_sort(fitting, std::greater<>(), &Certificate::not_after);
    const auto signer = std::ranges::find_if(
        fitting, [&](const Certificate& candidate) { return check_signature(report, candidate).has_value(); });
    if (signer != fitting.end()) return *signer;
  }
  return fitting.front();
}

}  // namespace

Checked<Certificate> select_vek(const snp::RawReport& report, std::span<const Certificate> candidates) {
  const Certificate::Kind kind = TRY(signing_kind(report));
  std::vector<Certificate> fitting;
  Fit nearest{
      -1, {Errc::certificate_missing, kind_name(kind), "a certificate of this kind", others_text(kind, candidates)}};
  for (const Certificate& candidate : candidates) {
    if (candidate.kind() != kind) continue;
    Fit fit = fit_of(report, candidate);
    if (fit.distance == kFits) {
      if (fitting.size() < kMaxCandidates) fitting.push_back(candidate);
    } else if (fit.distance > nearest.distance) {
      fit.why.field += " (nearest of the candidates: " + printable(candidate.source(), 160) + ")";
      nearest = std::move(fit);
    }
  }
  if (fitting.empty()) return nearest.why;
  return best_of(report, fitting);
}

}  // namespace attestbed::verify
