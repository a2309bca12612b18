// SPDX-License-Identifier: Apache-2.0
// What does a page under a VMPCK cost? 96 octets are a report request, 1216 its answer, 4000 fill a page.
#include <benchmark/benchmark.h>

#include "bench/inputs.h"
#include "core/snp/guest_message.h"

namespace attestbed::bench {
namespace {

struct Sealed {
  snp::Vmpck key;
  Octets payload;
  snp::GuestMessage message;
  snp::Page page, scratch;

  explicit Sealed(std::size_t size)
      : key(std::span<const std::uint8_t, 32>(ByteArray<32>{0x11, 0x22, 0x33})), payload(size, 0x5a) {
    message = {.type = snp::MsgType::report_req, .version = 1, .vmpck = 0, .seqno = 1, .payload = payload};
  }
  bool seal() { return static_cast<bool>(snp::seal_guest_message(key, message, page)); }
  bool opens() {
    const Result<snp::GuestMessage> opened = snp::open_guest_message(key, page, scratch);
    return opened && equal_ct(opened->payload, payload);
  }
};

void seal(benchmark::State& state) {
  Sealed input(static_cast<std::size_t>(state.range(0)));
  if (!input.seal() || !input.opens()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(snp::seal_guest_message(input.key, input.message, input.page));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void open(benchmark::State& state) {
  Sealed input(static_cast<std::size_t>(state.range(0)));
  if (!input.seal() || !input.opens()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(snp::open_guest_message(input.key, input.page, input.scratch));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(seal)->Name("guest_message/seal")->Arg(96)->Arg(1216)->Arg(4000);
BENCHMARK(open)->Name("guest_message/open")->Arg(96)->Arg(1216)->Arg(4000);

}  // namespace
}  // namespace attestbed::bench
