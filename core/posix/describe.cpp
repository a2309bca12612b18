// SPDX-License-Identifier: Apache-2.0
#include "core/posix/describe.h"

#include <cstring>

namespace attestbed::posix {
namespace {

/// Numbers says what `found` and `expected` of an Error are.
enum class Numbers { values, bound, offset, system_error, status };

Numbers numbers_of(const Error& error) {
  switch (error.code) {
    case Errc::too_large:
    case Errc::frame_too_large:
    case Errc::json_depth:
      return Numbers::bound;
    case Errc::bad_base64:
    case Errc::bad_json:
      return Numbers::offset;
    // With an expected value it is a length or a count that did not fit, not what the system said.
    case Errc::transport:
    case Errc::io_failed:
      return error.expected == 0 ? Numbers::system_error : Numbers::values;
    case Errc::firmware_refused:
    case Errc::firmware_status:
      return Numbers::status;
    default:
      return Numbers::values;
  }
}

std::string hexadecimal(std::uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[number & 0xf]);
    number >>= 4;
  } while (number != 0);
  return "0x" + text;
}

std::string system_error(std::uint64_t number) {
  const char* const text = number < 4096 ? strerrordesc_np(static_cast<int>(number)) : nullptr;
  return text != nullptr ? text : "errno " + std::to_string(number);
}

std::string numbers_in_words(const Error& error) {
  const std::string found = std::to_string(error.found), expected = std::to_string(error.expected);
  switch (numbers_of(error)) {
    case Numbers::values:
      return error.found == 0 && error.expected == 0 ? "" : "expected " + expected + ", found " + found;
    case Numbers::bound:
      return error.found == 0 && error.expected == 0 ? "" : "at most " + expected + ", found " + found;
    case Numbers::offset:
      return "octet " + found;
    case Numbers::system_error:
      return error.found == 0 ? "" : system_error(error.found);
    case Numbers::status:
      return "found " + hexadecimal(error.found);
  }
  return "";
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string describe(const Error& error) {
  const ErrorRow& row = error_row(error.code);
  std::string text = std::string(row.name) + ": " + row.meaning;
  const std::string numbers = numbers_in_words(error);
  const bool placed = error.where != nullptr && *error.where != '\0';
  if (placed || !numbers.empty()) {
    text += " (";
    if (placed) text += std::string("at ") + error.where;
    if (placed && !numbers.empty()) text += "; ";
    text += numbers + ")";
  }
  return text + ": " + row.remedy;
}

std::string to_hex(Bytes octets) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * octets.size());
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

bool from_hex(std::string_view text, std::string& octets) {
  octets.clear();
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) {
      octets.clear();
      return false;
    }
    octets += static_cast<char>(high << 4 | low);
  }
  return true;
}

}  // namespace attestbed::posix
