// SPDX-License-Identifier: Apache-2.0
#include "bench/interleaved.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

namespace attestbed::bench {
namespace {

constexpr double kTurnSeconds = 1e-3;  // long beside the clock's cost, short beside the scheduler's moods
constexpr int kRounds = 401;
constexpr std::string_view kRoundsFlag = "--rounds=";
int rounds_asked = kRounds;

/// turn is the seconds of one out of `times`; negative if the side failed.
double turn(const Side& side, int times) {
  return side(times) / times;
}

/// times_for is how often a side fits into a turn. It also warms the side up.
int times_for(const Side& side) {
  if (rounds() == 1) return 1;
  int times = 1;
  while (times < 1 << 16) {
    const double seconds = turn(side, times);
    if (seconds < 0 || seconds * times >= kTurnSeconds) break;
    times *= 2;
  }
  return times;
}

}  // namespace

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Side timed(std::function<bool()> work) {
  return [work = std::move(work)](int times) {
    const double began = thread_cpu_seconds();
    for (int i = 0; i < times; ++i) {
      if (!work()) return -1.0;
    }
    return thread_cpu_seconds() - began;
  };
}

Comparison compare(const Side& one, const Side& other) {
  const Comparison failed{-1, -1, "a side failed"};
  const int times_one = times_for(one), times_other = times_for(other);
  std::vector<double> ones, others, ratios;
  for (int round = 0; round < rounds(); ++round) {
    // Whoever goes second finds other caches and another frequency: they change places.
    double a = 0, b = 0;
    if (round % 2 == 0) a = turn(one, times_one);
    b = turn(other, times_other);
    if (round % 2 != 0) a = turn(one, times_one);
    if (a < 0 || b <= 0) return failed;
    ones.push_back(a);
    others.push_back(b);
    ratios.push_back(a / b);
  }
  const double one_least = std::ranges::min(ones), other_least = std::ranges::min(others);
  std::ranges::sort(ratios);
  const double ratio = one_least / other_least, median = ratios[ratios.size() / 2];
  char text[224];
  std::snprintf(
      text, sizeof text,
      "minima of %d rounds, %.2f us beside %.2f us, ratio %.3f; median of the rounds' ratios %.3f, middle half "
      "%.3f..%.3f",
      rounds(), 1e6 * one_least, 1e6 * other_least, ratio, median, ratios[ratios.size() / 4],
      ratios[ratios.size() * 3 / 4]);
  return {ratio, median, text};
}

void report(benchmark::State& state, const char* target, const Side& one, const Side& other) {
  for (auto _ : state) {
    const Comparison compared = compare(one, other);
    if (compared.ratio < 0) return state.SkipWithError("input rejected");
    state.counters[target] = compared.ratio;
    state.SetLabel(compared.text);
  }
}

int rounds() {
  return rounds_asked;
}

int run_benchmarks(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const std::string_view number = flag.starts_with(kRoundsFlag) ? flag.substr(kRoundsFlag.size()) : "";
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rounds_asked);
    if (error != std::errc() || end != number.data() + number.size() || rounds_asked < 1) {
      std::fprintf(stderr, "unknown argument: %s\n", argv[i]);
      return 2;
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace attestbed::bench
