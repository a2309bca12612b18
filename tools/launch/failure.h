// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"

namespace attestbed::launch {

/// Failure says in words why something around a process did not work. Unlike core's Error it owns its text: it names
/// files and programs that are known only at run time.
///   program  which one, empty if none in particular
///   reason   what happened, one line
///   tail     the last lines that the program wrote, empty if it wrote none
///   stopped  true if the wait ended because this program was told to stop (StopSignal)
struct Failure {
  std::string program{};
  std::string reason{};
  std::string tail{};
  bool stopped = false;

  std::string text() const { return program.empty() ? reason : program + ": " + reason; }
};

template <class T>
using Outcome = Result<T, Failure>;

}  // namespace attestbed::launch
