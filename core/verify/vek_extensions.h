// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only.
#include <openssl/x509.h>

#include "core/verify/certificate.h"

namespace attestbed::verify {

/// parse_vek_extensions takes the AMD extensions out of a VCEK or VLEK.
///   errors  vek_extension with the extension's AMD name as field
///   spec    57230, V[CL]EK certificate extensions: arc 1.3.6.1.4.1.3704.1
Checked<VekExtensions> parse_vek_extensions(const X509* x509, Certificate::Kind kind);

}  // namespace attestbed::verify
