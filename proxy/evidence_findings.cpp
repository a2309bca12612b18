// SPDX-License-Identifier: Apache-2.0
#include "proxy/evidence_findings.h"

#include <algorithm>
#include <cstring>

#include "core/snp/certificate_table.h"
#include "core/snp/report.h"

namespace attestbed::proxy {
namespace {

using protocol::Binding;

constexpr Binding kBindings[] = {Binding::svsm_sha512, Binding::kbs_sha384};

bool is_bound(const protocol::AttestationRequest& request, const protocol::Challenge& challenge, Binding by) {
  snp::RawReport report;
  std::memcpy(&report, request.report.data(), sizeof report);
  const Result<snp::ReportData> expected = protocol::bind(by, request.key, challenge);
  return expected && *expected == report.report_data;
}

// Evidence that is all that it says can still be of the kind that this broker never takes: its 401 looks the same.
const char* other_brokers(Binding stated) {
  switch (stated) {
    case Binding::svsm_sha512:
      return "; bound by svsm-sha512, which a Trustee KBS refuses: there use --binding kbs-sha384";
    case Binding::kbs_sha384:
      return "; bound by kbs-sha384, which kbs-test does not read: there use --binding svsm-sha512";
  }
  return "";
}

}  // namespace

void set_aside_unreadable_certs(protocol::AttestationRequest& request, const protocol::Terms& terms,
                                const SessionLog& log) {
  if (request.certs.empty() || terms.binding != Binding::kbs_sha384) return;
  const Result<snp::CertificateTable> table = snp::CertificateTable::parse(request.certs);
  if (table) return;
  log.certs_unreadable(request.certs.size(), table.error());
  request.certs = {};
}

std::string explain_refusal(const protocol::AttestationRequest& request, const protocol::Challenge& challenge,
                            const protocol::Terms& terms, const SessionLog& log) {
  std::string found;
  const auto note = [&](const char* what, const char* fits) {
    log.mismatch(what, fits);
    found += (found.empty() ? "; mismatch: " : ", ") + std::string(what);
    if (fits != nullptr) found += std::string(" (fits ") + fits + ")";
  };
  if (!std::ranges::equal(request.challenge, challenge.octets())) note("challenge", nullptr);
  if (!is_bound(request, challenge, terms.binding)) {
    const auto* const fits = std::ranges::find_if(
        kBindings, [&](Binding one) { return one != terms.binding && is_bound(request, challenge, one); });
    note("report_data", fits == std::end(kBindings) ? "no binding" : protocol::binding_name(*fits));
  }
  return found.empty() ? other_brokers(terms.binding) : found;
}

}  // namespace attestbed::proxy
