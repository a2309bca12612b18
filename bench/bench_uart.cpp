// SPDX-License-Identifier: Apache-2.0
// How many instructions does an attestation over a 16550 cost that a hypervisor has to intercept? Counters, of a whole
// attempt over driver and register model, setting up included:
//   octets       on the line, both ways
//   accesses     octets read from and written to registers
//   intercepted  instructions, polls that found nothing apart
//   idle_polls   those polls; how many depends on how long the host takes, here not at all: what is left is the
//                20 ms of silence before the first octet, and the time-outs at the ends of frames
//   per_octet    intercepted / octets; two is what a driver pays that looks at LSR for each octet
#include <benchmark/benchmark.h>

#include "bench/uart_attempt.h"

namespace attestbed::bench {
namespace {

void intercepted(benchmark::State& state) {
  sim::UartCounts counts;
  for (auto _ : state) {
    UartAttempt attempt;
    if (!attempt.run()) return state.SkipWithError("nothing released");
    counts = attempt.counts();
  }
  if (counts.tx_overruns + counts.rx_overruns + counts.empty_reads != 0) return state.SkipWithError("octets lost");
  const auto number = [](std::uint64_t value) { return benchmark::Counter(static_cast<double>(value)); };
  state.counters["octets"] = number(counts.sent + counts.received);
  state.counters["accesses"] = number(counts.accesses);
  state.counters["intercepted"] = number(counts.intercepted);
  state.counters["idle_polls"] = number(counts.idle_polls);
  state.counters["per_octet"] = counts.per_octet();
}
BENCHMARK(intercepted)->Name("uart/intercepted instructions of an attestation");

}  // namespace
}  // namespace attestbed::bench
