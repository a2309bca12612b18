// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/base64.h"
#include "core/base/writer.h"

namespace attestbed::posix {

/// base64_text is `octets` in that alphabet, as a string.
inline std::string base64_text(Base64 alphabet, Bytes octets) {
  std::string text(base64_encoded_size(alphabet, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(alphabet, octets, out);
  return text;
}

}  // namespace attestbed::posix
