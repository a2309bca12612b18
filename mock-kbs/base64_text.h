// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/posix/base64_text.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

using posix::base64_text;

/// octets_of_base64 reads canonical base64. Errors: bad_base64; `field` is as given.
inline Checked<std::vector<std::uint8_t>> octets_of_base64(Base64 alphabet, std::string_view text, std::string field) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const Result<MutBytes> decoded = base64_decode(alphabet, bytes_of(text), octets, "base64");
  if (!decoded) {
    const char* expected =
        alphabet == Base64::standard ? "canonical standard base64 with padding" : "canonical base64url without padding";
    return Refusal{Errc::bad_base64, std::move(field), expected,
                   "a wrong character at offset " + std::to_string(decoded.error().found)};
  }
  octets.resize(decoded->size());
  return octets;
}

/// base64url is `octets` as JWE, JWK and JWT members carry them: no padding.
inline std::string base64url(Bytes octets) {
  return base64_text(Base64::url, octets);
}
inline std::string base64url(std::string_view text) {
  return base64url(bytes_of(text));
}

}  // namespace attestbed::kbs
