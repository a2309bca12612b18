// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <type_traits>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed {

/// Reader is a cursor over octets that somebody else wrote. Every getter either advances by exactly what it returns or
/// fails and leaves the cursor where it was; `where` is the field name that the error carries.
class Reader {
 public:
  explicit Reader(Bytes octets) : rest_(octets) {}

  std::size_t left() const { return rest_.size(); }

  Result<Bytes> take(std::size_t n, const char* where) {
    if (n > rest_.size()) return Error{Errc::truncated, where, rest_.size(), n};
    const Bytes head = rest_.first(n);
    rest_ = rest_.subspan(n);
    return head;
  }

  /// copy reads a wire structure (alignment 1, no padding) by value.
  template <class T>
  Result<T> copy(const char* where) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1, "wire structures have alignment 1");
    const Bytes head = TRY(take(sizeof(T), where));
    T value;
    std::memcpy(&value, head.data(), sizeof(T));
    return value;
  }

  Status zeros(std::size_t n, const char* where) {
    const Bytes head = TRY(take(n, where));
    std::uint8_t any = 0;
    for (const std::uint8_t octet : head) any |= octet;
    if (any != 0) return Error{Errc::reserved_set, where, any, 0};
    return ok();
  }

  /// done succeeds only at the end: trailing octets are an error.
  Status done(const char* where) const {
    if (!rest_.empty()) return Error{Errc::trailing_bytes, where, rest_.size(), 0};
    return ok();
  }

 private:
  Bytes rest_;
};

}  // namespace attestbed
