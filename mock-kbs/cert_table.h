// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/verify/certificate.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

inline constexpr std::size_t kMaxCertTableEntries = 16;

/// parse_cert_table reads the certificate table that a host gives with a report (`certs-buf`): 24-octet entries of GUID
/// (RFC 4122 order), offset and length, an all-zero entry, then DER certificates. Returns the VCEK, VLEK, ASK and ASVK
/// in it; an ARK that comes this way is never looked at, nor are kinds that we do not know.
///   errors  truncated, bad_length (an offset or length outside the table), too_large (more entries than
///           kMaxCertTableEntries), certificate_malformed
///   spec    56421 extended guest request; facts/snp-firmware 3.2
Checked<std::vector<verify::Certificate>> parse_cert_table(Bytes table);

}  // namespace attestbed::kbs
