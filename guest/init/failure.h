// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"

namespace attestbed::guest {

/// Failure is why this guest does not get as far as its attempt, or not beyond it.
///   error   as the result line has it; its code decides the exit
///   text    what happened, one printable line: it names the word, file or device
///   remedy  what to do about it
struct Failure {
  Error error{Errc::internal, ""};
  std::string text;
  std::string remedy;
};
template <class T>
using Outcome = Result<T, Failure>;

/// failure_at is the Failure of a call that failed with `error` at `subject`; without a remedy of its own it has the
/// one of the error's row.
Failure failure_at(const std::string& subject, const Error& error, std::string remedy = {});

/// printable is `text` with everything but printable ASCII replaced by '?', cut after 80 octets: what the host wrote
/// may not steer the terminal that shows it.
std::string printable(std::string_view text);

}  // namespace attestbed::guest
