// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/base64.h"

namespace attestbed::kbs {

/// base64_text is `octets` in either alphabet.
inline std::string base64_text(Base64 alphabet, Bytes octets) {
  std::string text(base64_encoded_size(alphabet, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(alphabet, octets, out);
  return text;
}

/// base64url is `octets` as JWE, JWK and JWT members carry them: no padding.
inline std::string base64url(Bytes octets) {
  return base64_text(Base64::url, octets);
}
inline std::string base64url(std::string_view text) {
  return base64url(bytes_of(text));
}

}  // namespace attestbed::kbs
