// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

namespace attestbed::sim {

/// Guid is a GUID as UEFI firmware stores it: the first three fields of the text little-endian, the rest in order.
using Guid = ByteArray<16>;

/// guid turns the text into these octets when the program is compiled; a wrong text does not compile.
consteval Guid guid(std::string_view text) {
  constexpr std::size_t kPlace[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    throw "not a lower-case hexadecimal digit";
  };
  if (text.size() != 36) throw "a GUID has 36 characters";
  Guid octets{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-') throw "a hyphen is missing";
    }
    octets[kPlace[i]] = static_cast<std::uint8_t>(digit(text[at]) << 4 | digit(text[at + 1]));
    at += 2;
  }
  return octets;
}

}  // namespace attestbed::sim
