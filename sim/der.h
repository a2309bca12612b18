// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace attestbed::sim {

/// Der is one encoded ASN.1 value (X.690, distinguished encoding). Certificates are written octet by octet because
/// AMD's order of names and extensions is part of what verifiers see, and libraries have their own.
using Der = std::vector<std::uint8_t>;

/// der_value is tag, length and the concatenated `parts`.
Der der_value(std::uint8_t tag, std::initializer_list<Bytes> parts);

Der der_sequence(std::initializer_list<Bytes> parts);
Der der_set(std::initializer_list<Bytes> parts);
Der der_octet_string(Bytes content);
Der der_bit_string(Bytes content);               // whole octets
Der der_explicit(unsigned number, Bytes inner);  // [number] around one value
Der der_text(std::uint8_t tag, std::string_view text);
inline constexpr std::uint8_t kTagUtf8 = 0x0c, kTagPrintable = 0x13, kTagIa5 = 0x16;

/// der_integer encodes a non-negative number: 0xdb becomes 02 02 00 db.
Der der_integer(std::uint64_t value);

/// der_oid encodes an object identifier given as its content octets.
Der der_oid(Bytes content);
Der der_null();
Der der_true();

}  // namespace attestbed::sim
