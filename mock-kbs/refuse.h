// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/verify/refusal.h"

namespace attestbed::kbs {

using verify::Checked;
using verify::Refusal;

/// refusal_of turns an Error of core into a Refusal; numbers that say nothing (both zero) stay out of the text.
inline Refusal refusal_of(const Error& error) {
  Refusal refusal{.code = error.code, .field = error.where, .expected = {}, .found = {}};
  if (error.expected != 0 || error.found != 0) {
    refusal.expected = std::to_string(error.expected);
    refusal.found = std::to_string(error.found);
  }
  return refusal;
}

/// checked lifts a Result of core, so that TRY works in functions that return Checked.
template <class T>
Checked<T> checked(Result<T> result) {
  if (!result) return refusal_of(result.error());
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

}  // namespace attestbed::kbs
