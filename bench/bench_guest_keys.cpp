// SPDX-License-Identifier: Apache-2.0
// How long does a guest wait for its key? P-521, P-256 and RSA-3072 in one run, draw by draw, in CPU time of the
// thread: the search for primes is heavy-tailed, so that its mean says little. OpenSSL's own search stands beside.
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/interleaved.h"
#include "core/crypto/openssl/library.h"
#include "core/posix/clock.h"
#include "core/protocol/guest_key.h"

namespace attestbed::bench {
namespace {

using protocol::KeyType;

constexpr std::size_t kRounds = 60;  // draws of RSA; nine times as many of each curve

class Draws {
 public:
  explicit Draws(const char* name) : name_(name) {}

  template <class Make>
  bool draw(Make make) {
    const double began = thread_cpu_seconds();
    if (!make()) return false;
    seconds_.push_back(thread_cpu_seconds() - began);
    return true;
  }

  void report(benchmark::State& state) {
    std::ranges::sort(seconds_);
    state.counters[std::string(name_) + " median ms"] = 1e3 * at(0.5);
    state.counters[std::string(name_) + " p95 ms"] = 1e3 * at(0.95);
  }

 private:
  double at(double part) const {
    return seconds_[static_cast<std::size_t>(part * static_cast<double>(seconds_.size()))];
  }

  const char* name_;
  std::vector<double> seconds_;
};

void single_draws(benchmark::State& state) {
  posix::SteadyClock clock;
  posix::KernelEntropy entropy;
  protocol::GuestKey key;
  Draws p521("P-521"), p256("P-256"), rsa("RSA-3072"), raw("RSA-3072 of OpenSSL");
  const auto ours = [&](KeyType type) {
    return [&, type] { return key.generate(type, entropy, clock, kNever, nullptr).has_value(); };
  };
  const auto theirs = [] {
    return openssl::Key(EVP_PKEY_Q_keygen(openssl::library_context(), nullptr, "RSA", std::size_t{3072})) != nullptr;
  };
  for (auto _ : state) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      bool made = rsa.draw(ours(KeyType::rsa3072)) && raw.draw(theirs);
      for (int i = 0; made && i < 9; ++i) made = p521.draw(ours(KeyType::p521)) && p256.draw(ours(KeyType::p256));
      if (!made) return state.SkipWithError("no key");
    }
  }
  for (Draws* const each : {&p521, &p256, &rsa, &raw}) each->report(state);
}
BENCHMARK(single_draws)->Name("keygen/single draws")->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace attestbed::bench
