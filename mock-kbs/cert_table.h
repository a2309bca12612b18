// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/verify/certificate.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// certificates_of_table reads what a host gives with a report (`certs-buf`): the VCEK, VLEK, ASK and ASVK of a
/// certificate table. An ARK that comes this way is never looked at, nor are kinds that we do not know.
///   errors  those of snp::CertificateTable::parse; certificate_malformed
Checked<std::vector<verify::Certificate>> certificates_of_table(Bytes table);

}  // namespace attestbed::kbs
