// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::proxy::kbs {

/// raw_evidence is `primary_evidence` as kbs-test and stock aproxy have it: the report's octets, and the certificate
/// table's unless it is empty.
nlohmann::ordered_json raw_evidence(Bytes report, Bytes certs);

/// structured_evidence is `primary_evidence` as Trustee's SNP verifier takes it: the report as a structure, from which
/// the verifier makes the signed octets again, and what `certs` holds of ARK, ASK or ASVK, VCEK and VLEK.
///   report  1184 octets, version 2, 3 or 5; nothing is judged but whether the structure can hold every signed octet.
///           (Trustee refuses version 2, which is its business.)
///   certs   a certificate table; `cert_chain` is null if it has none of these, or is no table: endorsements are no
///           evidence, and a broker may have its own. Whoever wants to know looks before
///   errors  bad_length; report_version; report_reserved: an octet that is not zero and has no member; product_unknown:
///           the product decides the order of a TCB. Each with the field in `where`
///   spec    confidential-containers/trustee, deps/verifier/src/snp; virtee/sev, AttestationReport
Result<nlohmann::ordered_json> structured_evidence(Bytes report, Bytes certs);

}  // namespace attestbed::proxy::kbs
