// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace attestbed::bench {

/// Bound says on which side of its goal a target wants to be.
enum class Bound { at_most, at_least };

/// Counter is where a measurement is found: a benchmark by its name, and the counter in it.
struct Counter {
  std::string_view benchmark, counter;
};

/// Target is a figure that is measured and never asserted in a test. A benchmark measures it by setting a counter of
/// the target's name; its label goes into the row's `how`.
///   suite  the command that measures it: "bench" is `./run bench`
///   how    what is compared with what
///   elsewhere  set if its benchmark calls the counter otherwise
struct Target {
  std::string_view suite, name, unit;
  Bound bound;
  double goal;
  std::string_view how;
  Counter elsewhere = {};
};

/// targets is the one table of goals, in the order in which they are shown.
std::span<const Target> targets();

}  // namespace attestbed::bench
