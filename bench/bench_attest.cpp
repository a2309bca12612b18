// SPDX-License-Identifier: Apache-2.0
// What does an attestation cost the guest? The whole of attest(): firmware simulated in process, host replayed from the
// vector.
//   guest CPU   thread CPU time in attest() less the time inside GuestRequestPort::call, which is the firmware's
//   floor       what it cannot be below: the guest's own key and exchange, back to back
#include "bench/guest.h"
#include "bench/interleaved.h"

namespace attestbed::bench {
namespace {

/// TimedGuest knows what of an attempt was its own.
class TimedGuest {
 public:
  explicit TimedGuest(const protocol::Terms& terms = {})
      : config_{.terms = terms, .secret_auth = SecretAuth::none},
        host_(LineKind::connected, negotiation_response(terms), aproxy_case().attestation_response) {}
  bool start() { return guest_.launch() && attempt() >= 0; }
  /// attempt returns the guest's own CPU seconds; negative if nothing was released.
  double attempt() {
    inside_ = 0;
    const double began = thread_cpu_seconds();
    if (!guest_.releases(host_, config_)) return -1;
    return thread_cpu_seconds() - began - inside_;
  }

 private:
  const AttestConfig config_;
  RehearsedHost host_;
  double inside_ = 0, entered_ = 0;
  Guest guest_{[this] { entered_ = thread_cpu_seconds(); }, [this] { inside_ += thread_cpu_seconds() - entered_; }};
};

/// Floor is keygen and ECDH as attest() calls them.
struct Floor {
  crypto::EcPoint epk = *aproxy_case().decryption().epk;
  VectorEntropy entropy;
  crypto::EcKey key;
  crypto::EcSharedSecret z;

  bool once() {
    return key.generate(crypto::Curve::p521, entropy).has_value() && crypto::ecdh(key, epk, z).has_value();
  }
};

double sum_of(int times, const std::function<double()>& once) {
  double sum = 0;
  for (int i = 0; i < times; ++i) {
    const double seconds = once();
    if (seconds < 0) return seconds;
    sum += seconds;
  }
  return sum;
}

void whole(benchmark::State& state) {
  Guest guest;
  if (!guest.start()) return state.SkipWithError("nothing released");
  for (auto _ : state) {
    if (!guest.releases()) return state.SkipWithError("nothing released");
  }
}
BENCHMARK(whole)->Name("attest/with simulated firmware");

void guest_cpu(benchmark::State& state) {
  TimedGuest guest;
  if (!guest.start()) return state.SkipWithError("nothing released");
  for (auto _ : state) {
    const double seconds = guest.attempt();
    if (seconds < 0) return state.SkipWithError("nothing released");
    state.SetIterationTime(seconds);
  }
}
BENCHMARK(guest_cpu)->Name("attest/guest CPU")->UseManualTime();

void floor(benchmark::State& state) {
  Floor floor;
  if (!floor.once()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(floor.once());
}
BENCHMARK(floor)->Name("attest/floor: P-521 keygen + ECDH");

void target_guest_cpu(benchmark::State& state) {
  TimedGuest guest;
  if (!guest.start()) return state.SkipWithError("nothing released");
  Floor floor;
  const Side attempts = [&](int times) { return sum_of(times, [&] { return guest.attempt(); }); };
  for (auto _ : state) {
    const Comparison compared = compare(attempts, timed([&] { return floor.once(); }));
    if (compared.ratio < 0) return state.SkipWithError("nothing released");
    // Not the least turns: an attempt runs much code once, so its usual cost is above its least.
    state.counters["guest.cpu"] = compared.median;
    state.SetLabel(compared.text);
  }
}
BENCHMARK(target_guest_cpu)->Name("target/guest.cpu")->Iterations(1);

void target_guest_binding(benchmark::State& state) {
  const protocol::Terms stated{
      .binding = protocol::Binding::kbs_sha384, .key = protocol::KeyType::p521, .resource = {}};
  TimedGuest kbs(stated), svsm;
  if (!kbs.start() || !svsm.start()) return state.SkipWithError("nothing released");
  const auto attempts_of = [](TimedGuest& guest) -> Side {
    return [&guest](int times) { return sum_of(times, [&guest] { return guest.attempt(); }); };
  };
  for (auto _ : state) {
    const Comparison compared = compare(attempts_of(kbs), attempts_of(svsm));
    if (compared.ratio < 0) return state.SkipWithError("nothing released");
    state.counters["guest.binding"] = compared.median;
    state.SetLabel(compared.text);
  }
}
BENCHMARK(target_guest_binding)->Name("target/guest.binding")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
