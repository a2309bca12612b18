// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace attestbed::proxy {

/// fingerprint names a cookie or token in logs without disclosing it: the first 16 hex digits of its SHA-256.
std::string fingerprint(std::string_view text);

}  // namespace attestbed::proxy
