// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/report.h"
#include "core/verify/certificate.h"
#include "mock-kbs/bounded_json.h"

// SNP evidence as Trustee's clients send it: the report as a JSON structure (its member names are those of the crate
// virtee/sev), certificates as lists of numbers.
namespace attestbed::kbs {

/// report_of_structure puts `attestation_report` back into the octets that the firmware signed. What the structure
/// cannot carry is reserved and stays zero; TCB versions lie in the order of the product that the CPUID octets name.
///   errors  the JSON codes; bad_value for a number that does not fit, an fmc where the product has none, and members
///           that the version does not have; bad_length; report_version unless 2, 3 or 5; product_unknown
Checked<ByteArray<snp::kReportBytes>> report_of_structure(const Members& report);

/// certificates_of_chain reads `cert_chain`: [{"cert_type": "VCEK", "data": [48, 130, …]}, …]. VCEK, VLEK and ASK are
/// taken. An ARK that comes this way is never looked at, nor are CRLs and other kinds.
///   errors  the JSON codes; too_large; evidence_shape for a cert_type that is none; certificate_malformed
Checked<std::vector<verify::Certificate>> certificates_of_chain(const nlohmann::json& chain, const std::string& path);

}  // namespace attestbed::kbs
