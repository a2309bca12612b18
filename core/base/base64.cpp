// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.h"

namespace attestbed {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Above 0x3f, so that one OR over a group shows whether any character in it was bad.
constexpr std::uint8_t kBad = 0x80;

constexpr ByteArray<256> inverse(std::string_view alphabet) {
  ByteArray<256> values{};
  for (auto& value : values) value = kBad;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr ByteArray<256> kStandardValues = inverse(kStandard);
constexpr ByteArray<256> kUrlValues = inverse(kUrl);

Error bad_character(const ByteArray<256>& values, Bytes text, const char* where) {
  std::size_t at = 0;
  while (at < text.size() && values[text[at]] != kBad) ++at;
  return {Errc::bad_base64, where, at, 0};
}

}  // namespace

void base64_encode(Base64 alphabet, Bytes octets, Writer& out) {
  const std::string_view digits = alphabet == Base64::standard ? kStandard : kUrl;
  const MutBytes text = out.room(base64_encoded_size(alphabet, octets.size()));
  if (text.empty()) return;
  const auto digit = [&](std::uint32_t group, unsigned shift) {
    return static_cast<std::uint8_t>(digits[(group >> shift) & 0x3fU]);
  };
  std::size_t from = 0, to = 0;
  for (; octets.size() - from >= 3; from += 3, to += 4) {
    const std::uint32_t group = static_cast<std::uint32_t>(octets[from]) << 16 |
                                static_cast<std::uint32_t>(octets[from + 1]) << 8 | octets[from + 2];
    text[to] = digit(group, 18);
    text[to + 1] = digit(group, 12);
    text[to + 2] = digit(group, 6);
    text[to + 3] = digit(group, 0);
  }
  const std::size_t rest = octets.size() - from;
  if (rest == 0) return;
  std::uint32_t group = static_cast<std::uint32_t>(octets[from]) << 16;
  if (rest == 2) group |= static_cast<std::uint32_t>(octets[from + 1]) << 8;
  text[to++] = digit(group, 18);
  text[to++] = digit(group, 12);
  if (rest == 2) text[to++] = digit(group, 6);
  while (to < text.size()) text[to++] = '=';
}

Result<MutBytes> base64_decode(Base64 alphabet, Bytes text, MutBytes into, const char* where) {
  const ByteArray<256>& values = alphabet == Base64::standard ? kStandardValues : kUrlValues;
  Bytes digits = text;
  if (alphabet == Base64::standard) {
    if (text.size() % 4 != 0) return Error{Errc::bad_base64, where, text.size(), 0};
    for (int pad = 0; pad < 2 && !digits.empty() && digits.back() == '='; ++pad)
      digits = digits.first(digits.size() - 1);
  }
  const std::size_t rest = digits.size() % 4;
  if (rest == 1) return Error{Errc::bad_base64, where, text.size(), 0};
  const std::size_t size = digits.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
  if (size > into.size()) return Error{Errc::no_space, where, size, into.size()};

  // Plain pointers in the one hot loop of the guest's decoders: both bounds were settled above.
  const std::uint8_t* from = digits.data();
  std::uint8_t* to = into.data();
  for (std::size_t groups = digits.size() / 4; groups > 0; --groups, from += 4, to += 3) {
    const std::uint8_t a = values[from[0]], b = values[from[1]], c = values[from[2]], d = values[from[3]];
    if (((a | b | c | d) & kBad) != 0) return bad_character(values, text, where);
    to[0] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    to[1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
    to[2] = static_cast<std::uint8_t>(c << 6 | d);
  }
  if (rest != 0) {
    const std::uint8_t a = values[from[0]], b = values[from[1]];
    const std::uint8_t c = rest == 3 ? values[from[2]] : std::uint8_t{0};
    if (((a | b | c) & kBad) != 0) return bad_character(values, text, where);
    // The bits of the last character that belong to no octet: only zero is canonical (RFC 4648 section 3.5).
    if (((rest == 2 ? b << 4 : c << 6) & 0xff) != 0) return Error{Errc::bad_base64, where, digits.size() - 1, 0};
    to[0] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    if (rest == 3) to[1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
  }
  return into.first(size);
}

}  // namespace attestbed
