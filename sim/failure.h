// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"

namespace attestbed::sim {

/// Failure is an Error that has to name things only known at run time, such as a file. `text` is one line without the
/// code: "out/ca/ask.pem: …".
struct Failure {
  Errc code = Errc::internal;
  std::string text;
};
template <class T>
using Outcome = Result<T, Failure>;

/// failure_at turns an Error into a Failure about `subject` (a file, a step).
Failure failure_at(const std::string& subject, const Error& error);

}  // namespace attestbed::sim
