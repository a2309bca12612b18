// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <cstring>

namespace attestbed {
namespace {

constexpr std::uint64_t repeat(std::uint8_t octet) {
  return 0x0101010101010101ULL * octet;
}

// True if one of eight octets is a quote, a backslash, a control character or not ASCII. A borrow may mark a plain
// octet above a marked one; then the eight are looked at one by one, so only the "false" answer has to be exact.
bool has_special(std::uint64_t octets) {
  const std::uint64_t quote = octets ^ repeat('"'), backslash = octets ^ repeat('\\');
  const std::uint64_t zero_in_either = ((quote - repeat(1)) & ~quote) | ((backslash - repeat(1)) & ~backslash);
  return ((zero_in_either | (octets - repeat(0x20)) | octets) & repeat(0x80)) != 0;
}

bool is_plain(std::uint8_t c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}
bool is_digit(std::uint8_t c) {
  return c >= '0' && c <= '9';
}

constexpr std::size_t encoded_utf8_size(std::uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

}  // namespace

void JsonReader::space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    ++at_;
  }
}

bool JsonReader::eat(char c) {
  if (at_ >= text_.size() || text_[at_] != static_cast<std::uint8_t>(c)) return false;
  ++at_;
  return true;
}

Status JsonReader::enter(const char* where) {
  if (++depth_ > kMaxJsonDepth) return Error{Errc::json_depth, where, depth_, kMaxJsonDepth};
  return ok();
}

Result<JsonKind> JsonReader::kind() {
  space();
  switch (peek()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      break;
  }
  if (peek() == '-' || is_digit(peek())) return JsonKind::number;
  return bad();
}

Result<JsonReader::Object> JsonReader::object(const char* where) {
  if (TRY(kind()) != JsonKind::object) return Error{Errc::json_type, where, at_, 0};
  TRY(enter(where));
  ++at_;
  return Object(*this);
}

Result<JsonReader::Array> JsonReader::array(const char* where) {
  if (TRY(kind()) != JsonKind::array) return Error{Errc::json_type, where, at_, 0};
  TRY(enter(where));
  ++at_;
  return Array(*this);
}

Result<std::optional<std::string_view>> JsonReader::next_member(Names& names, unsigned& count) {
  space();
  if (eat('}')) {
    --depth_;
    return std::optional<std::string_view>();
  }
  if (count > 0) {
    if (!eat(',')) return bad();
    space();
  }
  if (count == names.size()) return Error{Errc::json_depth, "JSON members", count + 1U, names.size()};
  const MutBytes octets = TRY(quoted());
  const std::string_view name = text_of(octets);
  for (unsigned i = 0; i < count; ++i) {
    if (names[i] == name) return Error{Errc::json_duplicate, "JSON member", at_, 0};
  }
  names[count++] = name;
  space();
  if (!eat(':')) return bad();
  return std::optional<std::string_view>(name);
}

Result<bool> JsonReader::next_element(bool& first) {
  space();
  if (eat(']')) {
    --depth_;
    return false;
  }
  if (!first && !eat(',')) return bad();
  first = false;
  return true;
}

Result<MutBytes> JsonReader::string(const char* where) {
  if (TRY(kind()) != JsonKind::string) return Error{Errc::json_type, where, at_, 0};
  return quoted();
}

// quoted reads a string and unescapes it in place: an escape is never shorter than what it stands for.
Result<MutBytes> JsonReader::quoted() {
  if (!eat('"')) return bad();
  const std::size_t start = at_;
  std::size_t to = at_;  // where the next unescaped octet goes; equal to at_ until the first escape
  while (true) {
    if (to == at_) {
      std::uint64_t octets = 0;
      while (text_.size() - at_ >= sizeof octets) {
        std::memcpy(&octets, text_.data() + at_, sizeof octets);
        if (has_special(octets)) break;
        at_ += sizeof octets;
      }
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      to = at_;
    }
    if (at_ >= text_.size()) return bad();
    const std::uint8_t c = text_[at_];
    if (c == '"') {
      ++at_;
      return text_.subspan(start, to - start);
    }
    if (c == '\\') {
      to = TRY(unescape(to));
      continue;
    }
    const std::size_t length = TRY(utf8_sequence());
    std::memmove(text_.data() + to, text_.data() + at_, length);
    at_ += length;
    to += length;
  }
}

// utf8_sequence measures the well-formed sequence at the cursor (Unicode 15, table 3-7) and refuses everything else.
Result<std::size_t> JsonReader::utf8_sequence() const {
  const Bytes rest = text_.subspan(at_);
  const std::uint8_t lead = rest[0];
  if (lead < 0x20) return bad();
  if (lead < 0x80) return std::size_t{1};
  std::size_t length = 0;
  std::uint8_t low = 0x80, high = 0xbf;  // bounds of the second octet
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return bad();
  }
  if (rest.size() < length || rest[1] < low || rest[1] > high) return bad();
  for (std::size_t i = 2; i < length; ++i) {
    if (rest[i] < 0x80 || rest[i] > 0xbf) return bad();
  }
  return length;
}

Result<std::uint32_t> JsonReader::hex4() {
  if (text_.size() - at_ < 4) return bad();
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t c = text_[at_];
    const auto lower = static_cast<std::uint8_t>(c | 0x20);
    if (is_digit(c)) {
      value = value << 4 | static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return bad();
    }
    ++at_;
  }
  return value;
}

// unescape replaces the escape at the cursor by its octets at `to` and returns the position behind them.
Result<std::size_t> JsonReader::unescape(std::size_t to) {
  ++at_;  // the backslash
  const std::uint8_t c = peek();
  if (at_ >= text_.size()) return bad();
  static constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  std::size_t found = 0;
  while (found < kNames.size() && kNames[found] != static_cast<char>(c)) ++found;
  if (found < kNames.size()) {
    ++at_;
    text_[to] = static_cast<std::uint8_t>(kMeanings[found]);
    return to + 1;
  }
  if (c != 'u') return bad();
  ++at_;
  std::uint32_t point = TRY(hex4());
  if (point >= 0xdc00 && point <= 0xdfff) return bad();
  if (point >= 0xd800 && point <= 0xdbff) {
    if (!eat('\\') || !eat('u')) return bad();
    const std::uint32_t low = TRY(hex4());
    if (low < 0xdc00 || low > 0xdfff) return bad();
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  const std::size_t size = encoded_utf8_size(point);
  if (size == 1) {
    text_[to] = static_cast<std::uint8_t>(point);
    return to + 1;
  }
  for (std::size_t i = size - 1; i > 0; --i, point >>= 6)
    text_[to + i] = static_cast<std::uint8_t>(0x80 | (point & 0x3f));
  static constexpr ByteArray<5> kLead{0, 0, 0xc0, 0xe0, 0xf0};
  text_[to] = static_cast<std::uint8_t>(kLead[size] | point);
  return to + size;
}

Status JsonReader::literal(std::string_view word) {
  const Bytes rest = text_.subspan(at_);
  if (rest.size() < word.size() || std::memcmp(rest.data(), word.data(), word.size()) != 0) return bad();
  at_ += word.size();
  return ok();
}

Result<bool> JsonReader::boolean(const char* where) {
  if (TRY(kind()) != JsonKind::boolean) return Error{Errc::json_type, where, at_, 0};
  const bool value = peek() == 't';
  TRY(literal(value ? "true" : "false"));
  return value;
}

Status JsonReader::null(const char* where) {
  if (TRY(kind()) != JsonKind::null) return Error{Errc::json_type, where, at_, 0};
  return literal("null");
}

// number consumes a number of RFC 8259 section 6 without looking at its value.
Status JsonReader::number() {
  eat('-');
  if (!eat('0')) {
    if (!is_digit(peek())) return bad();
    while (is_digit(peek())) ++at_;
  }
  if (eat('.')) {
    if (!is_digit(peek())) return bad();
    while (is_digit(peek())) ++at_;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    if (!is_digit(peek())) return bad();
    while (is_digit(peek())) ++at_;
  }
  return ok();
}

Result<std::uint64_t> JsonReader::unsigned_integer(std::uint64_t max, const char* where) {
  if (TRY(kind()) != JsonKind::number) return Error{Errc::json_type, where, at_, 0};
  const std::size_t start = at_;
  TRY(number());
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  std::uint64_t value = 0;
  bool fits = true;
  for (const std::uint8_t c : text_.subspan(start, at_ - start)) {
    if (!is_digit(c)) return Error{Errc::json_type, where, start, 0};
    const auto digit = static_cast<std::uint64_t>(c - '0');
    fits = fits && value <= (kMost - digit) / 10;
    value = fits ? value * 10 + digit : kMost;
  }
  // Of a number that 64 bits do not hold, the largest that they do is reported.
  if (!fits || value > max) return Error{Errc::bad_value, where, value, max};
  return value;
}

Status JsonReader::skip() {
  switch (TRY(kind())) {
    case JsonKind::string: {
      const auto text = quoted();
      if (!text) return text.error();
      return ok();
    }
    case JsonKind::number:
      return number();
    case JsonKind::boolean:
      return literal(peek() == 't' ? "true" : "false");
    case JsonKind::null:
      return literal("null");
    case JsonKind::array: {
      TRY(enter("JSON"));
      ++at_;
      bool first = true;
      while (TRY(next_element(first))) TRY(skip());
      return ok();
    }
    case JsonKind::object: {
      TRY(enter("JSON"));
      ++at_;
      Names names;
      unsigned count = 0;
      while (TRY(next_member(names, count))) TRY(skip());
      return ok();
    }
  }
  return bad();
}

Status JsonReader::done() {
  space();
  if (at_ != text_.size()) return Error{Errc::trailing_bytes, "JSON", text_.size() - at_, 0};
  return ok();
}

Result<MutBytes> JsonReader::base64(Base64 alphabet, std::size_t max, const char* where) {
  const MutBytes text = TRY(string(where));
  if (text.size() > base64_encoded_size(alphabet, max)) {
    return Error{Errc::too_large, where, base64_max_decoded_size(text.size()), max};
  }
  const MutBytes octets = TRY(base64_decode(alphabet, text, text, where));
  if (octets.size() > max) return Error{Errc::too_large, where, octets.size(), max};
  return octets;
}

}  // namespace attestbed
