// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/certificate.h"

namespace attestbed::kbs {

inline constexpr std::size_t kMaxFilesPerFolder = 512;

/// load_certificates reads one PEM or DER file, or every .pem, .crt, .cer and .der file of a folder (not of folders in
/// it). Private keys and revocation lists that lie beside certificates are passed over; anything else that does not
/// parse is an error, so that a damaged certificate is not taken for an absent one.
///   errors  bad_config with the file and the reason
verify::Checked<std::vector<verify::Certificate>> load_certificates(const std::string& path);

}  // namespace attestbed::kbs
