// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "kds-client/complete.h"
#include "mock-kbs/broker_state.h"
#include "mock-kbs/messages.h"

namespace attestbed::kbs {

/// Layer is how far the judgement of a piece of evidence came; a refusal names the layer that made it.
enum class Layer { parse, endorse, signature, binding, appraisal };
const char* layer_name(Layer layer);

/// Accepted is evidence that passed every layer.
struct Accepted {
  verify::VerifiedReport report;
  std::shared_ptr<const ReferenceEntry> entry;
};

/// Judgement is the outcome and, for the log, how far it came and the measurement that the report states (which proves
/// nothing before the layer `binding`).
struct Judgement {
  Layer layer;
  std::optional<snp::Measurement> measurement;
  Checked<Accepted> outcome;
};

/// KdsSource is where the judge gets endorsements that neither the evidence nor the configuration bring. Everything in
/// it outlives the judge.
struct KdsSource {
  kds::Client& client;
  Clock& clock;
  std::chrono::milliseconds budget;
  bool check_revocation;
};

/// EvidenceJudge judges by reference values that its caller hands it. It holds the certificates from which the one that
/// endorses a report is picked, and may ask a KDS for others.
class EvidenceJudge {
 public:
  explicit EvidenceJudge(std::vector<verify::Certificate> certificates, std::optional<KdsSource> kds = std::nullopt)
      : certificates_(std::move(certificates)), kds_(kds) {}

  /// judge goes through the layers: parse (the report's form, the guest's certificate table), endorse (VEK, chain,
  /// dates), signature (with TCB and chip id), binding (the entry by measurement, its roots, REPORT_DATA over key and
  /// challenge), appraisal (VMPL 0, guest policy).
  ///   errors  the codes of core/verify and, with a KDS, of kds-client; measurement_unknown; root_untrusted;
  ///   report_data_mismatch
  Judgement judge(const AttestRequest& request, const protocol::Challenge& challenge, const ReferenceValues& values,
                  verify::Time at) const;

 private:
  Checked<verify::Vek> endorse_with_kds(const snp::RawReport& report, std::vector<verify::Certificate> certificates,
                                        const verify::TrustedRoots& roots, verify::Time at) const;

  std::vector<verify::Certificate> certificates_;
  std::optional<KdsSource> kds_;
};

}  // namespace attestbed::kbs
