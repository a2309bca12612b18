// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/errc.h"

namespace attestbed {

/// Error says what was wrong (code), where (static text: the spec's field name), and what was expected and found.
/// Never carries secret octets or a peer's text. For lengths and numbers `expected` and `found` are the values; for an
/// upper bound `expected` is the bound; where a number says nothing both are zero.
struct Error {
  Errc code;
  const char* where;
  std::uint64_t found = 0;
  std::uint64_t expected = 0;
};

/// Result holds a value or says why there is none. Neither throws nor allocates. `*r` without a preceding check of `r`
/// is a defect of the caller, as with std::optional.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): `return value;` is the point
  Result(E error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): `return Error{…};` too
  explicit operator bool() const { return value_.has_value(); }
  bool has_value() const { return value_.has_value(); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const E& error() const { return error_; }

 private:
  std::optional<T> value_;
  E error_{};
};

/// Status is a Result without a value.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;
  Result() = default;
  Result(E error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return !error_.has_value(); }
  bool has_value() const { return !error_.has_value(); }
  void operator*() const {}
  const E& error() const { return *error_; }

 private:
  std::optional<E> error_;
};
using Status = Result<void>;
inline Status ok() {
  return {};
}

}  // namespace attestbed

/// TRY evaluates to the value of a Result or returns its error from the enclosing function. One per line, not nested,
/// and only where nothing else of the full expression was built before it (a whole initialiser, the right side of an
/// assignment): GCC 12 does not destroy such temporaries when a statement expression returns.
#define TRY(expr)                               \
  __extension__({                               \
    auto try_result = (expr);                   \
    if (!try_result) return try_result.error(); \
    *std::move(try_result);                     \
  })
