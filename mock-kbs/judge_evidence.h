// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "kds-client/complete.h"
#include "mock-kbs/appraisal.h"
#include "mock-kbs/broker_state.h"
#include "mock-kbs/messages.h"

namespace attestbed::kbs {

/// Layer is how far the judgement of a piece of evidence came; a refusal names the layer that made it.
enum class Layer { parse, endorse, signature, binding, appraisal };
const char* layer_name(Layer layer);

/// Accepted is evidence that passed every layer. Evidence of `sample` has neither report nor entry.
struct Accepted {
  std::optional<verify::VerifiedReport> report;
  std::shared_ptr<const ReferenceEntry> entry;
  SampleEvidence sample;
  Appraisal appraisal;
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
  explicit EvidenceJudge(std::vector<verify::Certificate> certificates, std::optional<KdsSource> kds = std::nullopt,
                         AppraisalMode mode = AppraisalMode::strict)
      : certificates_(std::move(certificates)), kds_(kds), mode_(mode) {}

  /// judge goes through the layers: parse (the report's form, the guest's certificates), endorse (VEK, chain, dates),
  /// signature (with TCB and chip id), binding (the entry by measurement, its roots, REPORT_DATA over key and challenge
  /// by the entry's binding), appraisal (VMPL 0, what the entry demands). Evidence of `sample` has only its digest to
  /// be judged: anyone can make it.
  ///   errors  the codes of core/verify and, with a KDS, of kds-client; measurement_unknown; root_untrusted;
  ///   key_unsupported; report_data_mismatch
  Judgement judge(const AttestRequest& request, const protocol::Challenge& challenge, const ReferenceValues& values,
                  verify::Time at) const;

 private:
  Checked<verify::Vek> endorse_with_kds(const snp::RawReport& report, std::vector<verify::Certificate> certificates,
                                        const verify::TrustedRoots& roots, verify::Time at) const;

  std::vector<verify::Certificate> certificates_;
  std::optional<KdsSource> kds_;
  AppraisalMode mode_;
};

}  // namespace attestbed::kbs
