// SPDX-License-Identifier: Apache-2.0
// What does an attestation cost the guest? The whole of attest(): firmware simulated in process, host replayed from the
// vector. The replay is possible because the key comes from Entropy: with the vector's scalar, the recorded answer
// opens.
//   guest CPU   thread CPU time in attest() less the time inside GuestRequestPort::call, which is the firmware's
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>

#include "bench/inputs.h"
#include "core/attest.h"
#include "core/posix/clock.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware.h"
#include "sim/seeded_entropy.h"

namespace attestbed::bench {
namespace {

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class VectorEntropy final : public Entropy {
 public:
  Status fill(MutBytes into) override {
    const Octets& scalar = aproxy_case().scalar;
    if (into.size() != scalar.size()) return Error{Errc::bad_length, "VectorEntropy", into.size(), scalar.size()};
    std::ranges::copy(scalar, into.begin());
    return ok();
  }
};

/// ReplayedHost answers whatever it is asked with the vector's two frames, in turn.
class ReplayedHost final : public Transport {
 public:
  Status write_all(Bytes, Deadline) override {
    asked_ = true;
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (asked_) {
      const AproxyCase& recorded = aproxy_case();
      left_ = second_ ? recorded.attestation_response : recorded.negotiation_response;
      second_ = !second_;
      asked_ = false;
    }
    const std::size_t size = std::min(into.size(), left_.size());
    if (size == 0) return Error{Errc::closed, "ReplayedHost"};
    std::memcpy(into.data(), left_.data(), size);
    left_ = left_.subspan(size);
    return size;
  }

 private:
  Bytes left_;
  bool asked_ = false, second_ = false;
};

/// TimedPort knows how long its calls took.
class TimedPort final : public snp::GuestRequestPort {
 public:
  explicit TimedPort(snp::GuestRequestPort& next) : next_(next) {}
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override {
    const double began = thread_cpu_seconds();
    const auto exit = next_.call(request, reply, until);
    inside_ += thread_cpu_seconds() - began;
    return exit;
  }
  double take() { return std::exchange(inside_, 0.0); }

 private:
  snp::GuestRequestPort& next_;
  double inside_ = 0;
};

/// Guest is everything that attest() needs, for as many attempts as one likes.
class Guest {
 public:
  /// start launches a guest on the simulated machine; false if it cannot.
  bool start() {
    auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    if (!authority) return false;
    const auto machine = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*std::move(authority)));
    sim::SeededEntropy launch_entropy(1, "bench");
    auto launch = sim::Launch::start(machine, sim::kDefaultPolicy, launch_entropy);
    if (!launch) return false;
    firmware_.emplace(machine, (*std::move(launch)).finish({}));
    port_.emplace(*firmware_);
    auto key = snp::vmpck_from_secrets_page(firmware_->guest().secrets_page(machine), 0);
    if (!key) return false;
    channel_.emplace(*std::move(key), *port_, clock_, *pages_, snp::GuestChannel::Options{});
    return releases();
  }
  bool releases() {
    const Platform platform{.wire = host_, .reports = *channel_, .entropy = entropy_, .clock = clock_};
    const Result<Released> released = attest(platform, {}, *workspace_);
    return released && equal_ct(released->secret, aproxy_case().plaintext);
  }
  double take_firmware_seconds() { return port_->take(); }

 private:
  posix::SteadyClock clock_;
  VectorEntropy entropy_;
  ReplayedHost host_;
  std::optional<sim::Firmware> firmware_;
  std::optional<TimedPort> port_;
  std::unique_ptr<snp::ChannelPages> pages_ = std::make_unique<snp::ChannelPages>();
  std::optional<snp::GuestChannel> channel_;
  std::unique_ptr<Workspace> workspace_ = std::make_unique<Workspace>();
};

void whole(benchmark::State& state) {
  Guest guest;
  if (!guest.start()) return state.SkipWithError("nothing released");
  for (auto _ : state) {
    if (!guest.releases()) return state.SkipWithError("nothing released");
  }
}
BENCHMARK(whole)->Name("attest/with simulated firmware");

void guest_cpu(benchmark::State& state) {
  Guest guest;
  if (!guest.start()) return state.SkipWithError("nothing released");
  guest.take_firmware_seconds();
  for (auto _ : state) {
    const double began = thread_cpu_seconds();
    if (!guest.releases()) return state.SkipWithError("nothing released");
    state.SetIterationTime(thread_cpu_seconds() - began - guest.take_firmware_seconds());
  }
}
BENCHMARK(guest_cpu)->Name("attest/guest CPU")->UseManualTime();

/// What the guest's CPU time cannot be below: its own key and exchange.
void floor(benchmark::State& state) {
  const AproxyCase& recorded = aproxy_case();
  const crypto::EcPoint epk = recorded.decryption().epk;
  VectorEntropy entropy;
  crypto::EcKey key;
  crypto::EcSharedSecret z;
  const auto once = [&] { return key.generate(crypto::Curve::p521, entropy) && crypto::ecdh(key, epk, z); };
  if (!once()) return state.SkipWithError("input rejected");
  for (auto _ : state) {
    const double began = thread_cpu_seconds();
    benchmark::DoNotOptimize(once());
    state.SetIterationTime(thread_cpu_seconds() - began);
  }
}
BENCHMARK(floor)->Name("attest/floor: P-521 keygen + ECDH")->UseManualTime();

}  // namespace
}  // namespace attestbed::bench
