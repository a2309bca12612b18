// SPDX-License-Identifier: Apache-2.0
#include "core/posix/describe.h"

#include <cerrno>
#include <cstring>

#include "core/posix/firmware_status.h"

namespace attestbed::posix {
namespace {

/// Numbers says what `found` and `expected` of an Error are.
enum class Numbers {
  values,        // what was found, and what should have been there instead unless that is zero
  found,         // what was found; the code's meaning says what is allowed
  bound,         // what was found, and the most that is allowed unless that is zero
  offset,        // `found` is where in a text it showed; zero says nothing
  count,         // `found` is how many octets are too many
  bits,          // `found` is a set of bits
  status,        // `found` is a status of the SNP firmware
  exit,          // `found` is SW_EXITINFO2: hypervisor << 32 | firmware
  system_error,  // `found` is errno, unless something was expected: then both are values
  nothing,       // lengths of texts, numbers of attempts: no help to anybody
};

// The one table of it, for every place that shows an Error. What is not listed has values, as core/base/result.h says.
Numbers numbers_of(const Error& error) {
  switch (error.code) {
    case Errc::too_large:
    case Errc::frame_too_large:
    case Errc::secret_too_large:
    case Errc::json_depth:
    case Errc::no_space:
    case Errc::line_noise:
      return Numbers::bound;
    case Errc::host_chosen_challenge:
      return Numbers::found;
    case Errc::bad_base64:
    case Errc::bad_json:
    case Errc::json_duplicate:
    case Errc::json_type:
      return Numbers::offset;
    case Errc::trailing_bytes:
      return Numbers::count;
    case Errc::transport:
    case Errc::io_failed:
    case Errc::firmware_unreachable:
    case Errc::vsock_unavailable:
      return error.expected == 0 ? Numbers::system_error : Numbers::values;
    case Errc::reserved_set:
    case Errc::report_reserved:
    case Errc::report_policy_bits:
      return Numbers::bits;
    case Errc::firmware_status:
      return Numbers::status;
    case Errc::firmware_refused:
      return Numbers::exit;
    // `found` is what the hypervisor says, always BUSY: the code says that already.
    case Errc::firmware_busy:
    // Of a name or a path that is none of those allowed, `found` is its length or the place where it stops being one;
    // without an expected value it is no value.
    case Errc::bad_value:
      return error.expected == 0 ? Numbers::nothing : Numbers::values;
    case Errc::frame_empty:
    case Errc::jwe_header:
    case Errc::broker_nonce:
    case Errc::vmpck_lost:
    case Errc::internal:
      return Numbers::nothing;
    default:
      return Numbers::values;
  }
}

std::string system_error(std::uint64_t number) {
  const char* const text = number < 4096 ? strerrordesc_np(static_cast<int>(number)) : nullptr;
  return text != nullptr ? text : "errno " + std::to_string(number);
}

/// remedy_of an Error is its row's, but where that speaks of something that is not the trouble: of an address that is
/// taken the path is there, and in the search for an RSA key nobody is waited for.
std::string remedy_of(const Error& error) {
  if (error.code == Errc::deadline && error.where != nullptr && error.where == std::string_view("RSA key creation")) {
    return "give it more time with --timeout (attest.timeout= of a guest that boots), or choose --key P-256, which "
           "takes none";
  }
  if (numbers_of(error) == Numbers::system_error && error.found == EADDRINUSE) {
    return "another process listens there, or left its socket file behind: stop it or remove the file, or choose "
           "another "
           "address";
  }
  return error_row(error.code).remedy;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string numbers_in_words(const Error& error) {
  const std::string found = std::to_string(error.found), expected = std::to_string(error.expected);
  if (error.found == 0 && error.expected == 0) return "";
  switch (numbers_of(error)) {
    case Numbers::values:
      return error.expected == 0 ? "found " + found : "expected " + expected + ", found " + found;
    case Numbers::found:
      return "found " + found;
    case Numbers::bound:
      if (error.expected == 0) return "found " + found;
      return error.found == 0 ? "at most " + expected : "at most " + expected + ", found " + found;
    case Numbers::offset:
      return "octet " + found;
    case Numbers::count:
      return found + (error.found == 1 ? " octet" : " octets");
    case Numbers::bits:
      return "found " + hex_number(error.found);
    case Numbers::status:
      return "found " + firmware_status_text(error.found);
    case Numbers::exit:
      return "found " + exit_text(error.found);
    case Numbers::system_error:
      return system_error(error.found);
    case Numbers::nothing:
      return "";
  }
  return "";
}

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
  return text + ": " + remedy_of(error);
}

std::string hex_number(std::uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[number & 0xf]);
    number >>= 4;
  } while (number != 0);
  return "0x" + text;
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
