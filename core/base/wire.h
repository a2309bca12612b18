// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace attestbed {

/// LittleEndian is an integer as it lies on the wire: an array of octets with a conversion. Alignment 1, so structures
/// built from it have no padding and may be copied from any address on any host.
template <class T>
class LittleEndian {
 public:
  constexpr LittleEndian() = default;
  constexpr LittleEndian(T value) {  // NOLINT(google-explicit-constructor): assigned from plain integers
    for (std::size_t i = 0; i < sizeof(T); ++i) octets_[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  constexpr operator T() const {  // NOLINT(google-explicit-constructor): read as plain integers
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | static_cast<T>(octets_[i]) << (8 * i));
    return value;
  }

 private:
  std::uint8_t octets_[sizeof(T)] = {};
};

using le16 = LittleEndian<std::uint16_t>;
using le32 = LittleEndian<std::uint32_t>;
using le64 = LittleEndian<std::uint64_t>;
static_assert(sizeof(le64) == 8 && alignof(le64) == 1);

}  // namespace attestbed
