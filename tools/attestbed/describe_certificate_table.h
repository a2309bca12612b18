// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/verify/refusal.h"

namespace attestbed::tools {

/// describe_certificate_table is the certificate table that a host gives with an extended guest request: its rows
/// (GUID, kind, offset, length), then each certificate and CRL that they stand for. An entry that is not what its GUID
/// says has an `error` in its row.
///   source  names where the octets come from
///   errors  those of snp::CertificateTable::parse
verify::Checked<std::vector<nlohmann::ordered_json>> describe_certificate_table(Bytes octets,
                                                                                const std::string& source);

}  // namespace attestbed::tools
