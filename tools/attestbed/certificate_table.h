// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/snp/certificate_table.h"
#include "core/verify/certificate.h"

namespace attestbed::tools {

/// looks_like_certificate_table holds if the octets begin with a GUID that certificate tables have.
bool looks_like_certificate_table(Bytes octets);

/// parse_certificate_table is snp::CertificateTable::parse with errors in words; `source` names the file. What it
/// returns views `octets`.
verify::Checked<snp::CertificateTable> parse_certificate_table(Bytes octets, const std::string& source);

/// certificates_of are the certificates that an entry holds; none if its GUID says that it holds something else.
/// Errors: certificate_malformed, too_large.
verify::Checked<std::vector<verify::Certificate>> certificates_of(const snp::CertificateEntry& entry,
                                                                  const std::string& source);

}  // namespace attestbed::tools
