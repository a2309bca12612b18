// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/base64.h"

namespace attestbed::kbs {

/// base64url is `octets` as JWE, JWK and JWT members carry them: no padding.
inline std::string base64url(Bytes octets) {
  std::string text(base64_encoded_size(Base64::url, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::url, octets, out);
  return text;
}
inline std::string base64url(std::string_view text) {
  return base64url(bytes_of(text));
}

}  // namespace attestbed::kbs
