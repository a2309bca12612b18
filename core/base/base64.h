// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/writer.h"

namespace attestbed {

/// Base64 is one of the two alphabets in use (RFC 4648). Both are strict: no white space, trailing bits zero.
///   standard  sections 4: `+ /`, padding required; every binary field between guest and proxy, and KBS nonces
///   url       section 5: `- _`, padding forbidden; JWE and JWK members
enum class Base64 : std::uint8_t { standard, url };

constexpr std::size_t base64_encoded_size(Base64 alphabet, std::size_t n) {
  return alphabet == Base64::standard ? (n + 2) / 3 * 4 : (n * 4 + 2) / 3;
}
constexpr std::size_t base64_max_decoded_size(std::size_t chars) {
  return chars / 4 * 3 + 2;
}

/// base64_encode appends the text to `out`.
void base64_encode(Base64 alphabet, Bytes octets, Writer& out);

/// base64_decode decodes `text` into `into`, which may begin where the text does: every octet is written after the
/// characters it comes from were read.
///   returns  the decoded octets, a view into `into`
///   errors   bad_base64 with the offset of the first bad character in `found`; no_space
Result<MutBytes> base64_decode(Base64 alphabet, Bytes text, MutBytes into, const char* where);

}  // namespace attestbed
