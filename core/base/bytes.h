// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace attestbed {

using Bytes = std::span<const std::uint8_t>;
using MutBytes = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

/// bytes_of views the octets of a text; text_of is its inverse. The views live as long as what they view.
inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// text_of also views a text that ends with a zero octet. A loop, because core may not ask its surroundings for strlen.
inline std::string_view text_of(const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  return {text, size};
}

}  // namespace attestbed
