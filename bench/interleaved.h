// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

// Two costs in one run. A machine that others use is slower in some milliseconds than in others, so the two sides take
// turns of a millisecond each, every turn measured in CPU time of this thread. A neighbour only ever adds to it, by
// what it leaves in the caches: the least turn of each side counts.
namespace attestbed::bench {

double thread_cpu_seconds();

/// Side does its work so many times and returns the CPU seconds that count; negative if it failed. `timed` makes one of
/// work that says whether it succeeded and counts whole: the clock is read once before the first and once after the
/// last.
using Side = std::function<double(int times)>;
Side timed(std::function<bool()> work);

/// Comparison is the outcome.
///   ratio   the least turn of `one` / the least of `other`; negative if a side failed
///   median  of the rounds' own ratios
///   text    all of these, and for judging the noise the middle half of the rounds' own ratios
struct Comparison {
  double ratio, median;
  std::string text;
};
Comparison compare(const Side& one, const Side& other);

/// report makes the comparison this benchmark's measurement of `target`.
void report(benchmark::State& state, const char* target, const Side& one, const Side& other);

/// rounds is how many a comparison has: enough for a steady minimum, or what `--rounds=N` of the program says (1: only
/// see whether every input is accepted).
int rounds();

/// run_benchmarks is main() of a benchmark program.
int run_benchmarks(int argc, char** argv);

}  // namespace attestbed::bench
