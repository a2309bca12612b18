// SPDX-License-Identifier: Apache-2.0
#include "sim/der.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

void append_length(Der& out, std::size_t length) {
  if (length < 0x80) {
    out.push_back(static_cast<std::uint8_t>(length));
    return;
  }
  Der big_endian;
  for (; length != 0; length >>= 8) big_endian.insert(big_endian.begin(), static_cast<std::uint8_t>(length));
  out.push_back(static_cast<std::uint8_t>(0x80 | big_endian.size()));
  out.insert(out.end(), big_endian.begin(), big_endian.end());
}

}  // namespace

Der der_value(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  std::size_t length = 0;
  for (const Bytes part : parts) length += part.size();
  Der out{tag};
  append_length(out, length);
  for (const Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Der der_sequence(std::initializer_list<Bytes> parts) {
  return der_value(0x30, parts);
}
Der der_set(std::initializer_list<Bytes> parts) {
  return der_value(0x31, parts);
}
Der der_octet_string(Bytes content) {
  return der_value(0x04, {content});
}

Der der_bit_string(Bytes content) {
  const ByteArray<1> no_unused_bits{0};
  return der_value(0x03, {no_unused_bits, content});
}

Der der_explicit(unsigned number, Bytes inner) {
  return der_value(static_cast<std::uint8_t>(0xa0 | number), {inner});
}
Der der_text(std::uint8_t tag, std::string_view text) {
  return der_value(tag, {bytes_of(text)});
}

Der der_integer(std::uint64_t value) {
  Der content;
  do {
    content.insert(content.begin(), static_cast<std::uint8_t>(value));
    value >>= 8;
  } while (value != 0);
  // The top bit is the sign.
  if ((content.front() & 0x80) != 0) content.insert(content.begin(), 0);
  return der_value(0x02, {content});
}

Der der_oid(Bytes content) {
  return der_value(0x06, {content});
}
Der der_null() {
  return der_value(0x05, {});
}
Der der_true() {
  return {0x01, 0x01, 0xff};
}

}  // namespace attestbed::sim
