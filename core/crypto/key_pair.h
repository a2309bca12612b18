// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace attestbed::crypto {

/// certificate_fits_key holds if `key` is the private key of the first certificate of `certificates`, both in PEM (RFC
/// 7468), whatever else the two are good for.
///   errors  bad_value, with "certificate", "key" (neither is read if it is encrypted) or "pair" in `where`; internal
Status certificate_fits_key(std::string_view certificates, std::string_view key);

}  // namespace attestbed::crypto
