// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

namespace attestbed {

void JsonWriter::separate() {
  if (comma_) out_.octet(',');
  comma_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  out_.octet(static_cast<std::uint8_t>(bracket));
  comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_.octet(static_cast<std::uint8_t>(bracket));
  comma_ = true;
}

void JsonWriter::name(std::string_view literal) {
  separate();
  out_.octet('"');
  out_.text(literal);
  out_.text("\":");
  comma_ = false;
}

void JsonWriter::string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  separate();
  out_.octet('"');
  for (const char character : text) {
    const auto c = static_cast<std::uint8_t>(character);
    if (c == '"' || c == '\\') out_.octet('\\');
    if (c >= 0x20) {
      out_.octet(c);
      continue;
    }
    out_.text("\\u00");
    out_.octet(static_cast<std::uint8_t>(kHex[c >> 4]));
    out_.octet(static_cast<std::uint8_t>(kHex[c & 15]));
  }
  out_.octet('"');
}

void JsonWriter::base64(Base64 alphabet, Bytes octets) {
  separate();
  out_.octet('"');
  base64_encode(alphabet, octets, out_);
  out_.octet('"');
}

void JsonWriter::number(std::uint64_t value) {
  separate();
  ByteArray<20> digits;
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<std::uint8_t>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out_.put(Bytes(digits).subspan(at));
}

void JsonWriter::boolean(bool value) {
  separate();
  out_.text(value ? "true" : "false");
}

void JsonWriter::null() {
  separate();
  out_.text("null");
}

}  // namespace attestbed
