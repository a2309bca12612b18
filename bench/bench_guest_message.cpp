// SPDX-License-Identifier: Apache-2.0
// What does a page under a VMPCK cost? 96 octets are a report request, 1216 its answer, 4000 fill a page. And what a
// round trip: the guest seals and asks, the simulated firmware opens, judges, answers and seals, the guest opens.
#include <benchmark/benchmark.h>

#include "bench/inputs.h"
#include "core/posix/clock.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware.h"
#include "sim/seeded_entropy.h"

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

/// RoundTrip is a guest beside its firmware, in one thread.
class RoundTrip {
 public:
  explicit RoundTrip(bool mask_chip_key) {
    auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    if (!authority) return;
    sim::Machine machine = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*std::move(authority)));
    machine.mask_chip_key = mask_chip_key;
    sim::SeededEntropy entropy(1, "bench");
    auto launch = sim::Launch::start(machine, sim::kDefaultPolicy, entropy);
    if (!launch) return;
    firmware_.emplace(machine, (*std::move(launch)).finish({}));
    snp::Vmpck key(firmware_->guest().vmpcks[0].expose());
    channel_.emplace(std::move(key), *firmware_, clock_, pages_, snp::GuestChannel::Options{});
  }
  bool tsc_info() { return channel_ && channel_->tsc_info(kNever); }
  bool derived_key() { return channel_ && channel_->derived_key(snp::MsgKeyReq{}, kNever); }
  bool report() { return channel_ && channel_->report({}, kNever); }

 private:
  posix::SteadyClock clock_;
  snp::ChannelPages pages_{};
  std::optional<sim::Firmware> firmware_;
  std::optional<snp::GuestChannel> channel_;
};

void round_trip(benchmark::State& state, bool (RoundTrip::*ask)(), bool mask_chip_key) {
  RoundTrip guest(mask_chip_key);
  if (!(guest.*ask)()) return state.SkipWithError("refused");
  for (auto _ : state) {
    if (!(guest.*ask)()) return state.SkipWithError("refused");
  }
  state.counters["per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(round_trip, tsc_info, &RoundTrip::tsc_info, false)->Name("guest_message/round trip, TSC_INFO");
BENCHMARK_CAPTURE(round_trip, derived_key, &RoundTrip::derived_key, false)->Name("guest_message/round trip, KEY");
BENCHMARK_CAPTURE(round_trip, unsigned_report, &RoundTrip::report, true)
    ->Name("guest_message/round trip, unsigned report");
BENCHMARK_CAPTURE(round_trip, signed_report, &RoundTrip::report, false)
    ->Name("guest_message/round trip, signed report");

}  // namespace
}  // namespace attestbed::bench
