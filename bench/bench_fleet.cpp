// SPDX-License-Identifier: Apache-2.0
// Do many guests at once cost more than their work? 64 guests, each a thread with attest() and its own simulated
// firmware, and one proxy::Server with its real sessions and pool, all in this process, over a unix socket, a new line
// per attempt. The broker answers from the recording: it waits 50 ms inside `attest` and computes nothing, as a broker
// on another machine does, so what competes for the cores is guests, firmware and proxy.
//   t(n)   from the moment when all guests may start to the last one's secret
//   CPU    of the whole process, during an attempt of one guest alone
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ctime>
#include <latch>
#include <thread>

#include "bench/guest.h"
#include "bench/interleaved.h"
#include "core/log/event_log.h"
#include "proxy/server.h"
#include "proxy/unix_listener.h"

namespace attestbed::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGuests = 64;
constexpr auto kBrokerTime = 50ms;
constexpr int kRounds = 20, kSinglesPerRound = 3;

class RecordedSession final : public proxy::BrokerSession {
 public:
  proxy::Outcome<protocol::Challenge> auth(protocol::Tee, Deadline) override {
    Octets frame = aproxy_case().negotiation_response;
    const auto answer =
        protocol::decode_negotiation_response(MutBytes(frame).subspan(protocol::kFramePrefixBytes), nullptr);
    if (!answer) return proxy::Failure{Errc::broker_nonce, "recording", {}};
    return *answer->challenge;
  }
  proxy::Outcome<std::string> attest(const protocol::AttestationRequest&, protocol::Binding, Deadline) override {
    posix::SteadyClock clock;
    clock.wait_until(clock.now() + kBrokerTime);
    return std::string("token");
  }
  proxy::Outcome<proxy::SealedSecret> resource(const protocol::ResourcePath&, Deadline) override {
    const AproxyCase& recorded = aproxy_case();
    const protocol::Decryption decryption = recorded.decryption();
    return proxy::SealedSecret{.protected_header = {recorded.aad.begin(), recorded.aad.end()},
                               .epk = decryption.epk,
                               .wrapped_cek = decryption.wrapped_cek,
                               .iv = decryption.iv,
                               .tag = decryption.tag,
                               .ciphertext = recorded.ciphertext};
  }
  proxy::BrokerTraffic last_call() const override { return {}; }
  std::string label() const override { return {}; }
};

class RecordedBroker final : public proxy::Backend {
 public:
  std::unique_ptr<proxy::BrokerSession> open(const std::atomic<bool>&) override {
    return std::make_unique<RecordedSession>();
  }
};

/// Host is a running proxy behind a socket of its own.
class Host {
 public:
  bool start() {
    if (mkdtemp(directory_.data()) == nullptr) return false;
    auto listener = proxy::listen_on_unix(path(), posix::IfExists::refuse);
    if (!listener) return false;
    proxy::ServerConfig config;
    config.session.allowed = {config.session.resource};
    server_.emplace(*std::move(listener), broker_, config, clock_);
    serving_ = std::thread([this] { (void)server_->run(stop_.get()); });
    return true;
  }
  ~Host() {
    const std::uint64_t one = 1;
    (void)!write(stop_.get(), &one, sizeof one);
    if (serving_.joinable()) serving_.join();
    server_.reset();
    (void)rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/proxy"; }

 private:
  std::string directory_ = "/tmp/attestbed-bench-XXXXXX";
  posix::SteadyClock clock_;
  RecordedBroker broker_;
  posix::Fd stop_{eventfd(0, EFD_CLOEXEC)};
  std::optional<proxy::Server> server_;
  std::thread serving_;
};

double process_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Fleet is guests that start at one moment.
class Fleet {
 public:
  struct Times {
    double wall, cpu;
  };

  bool start() {
    if (!host_.start()) return false;
    for (std::size_t i = 0; i < kGuests; ++i) {
      guests_.push_back(std::make_unique<Guest>());
      if (!guests_.back()->start()) return false;
    }
    return true;
  }

  /// attest_with has the first `count` guests attest; nothing if one of them got no secret.
  std::optional<Times> attest_with(std::size_t count) {
    std::latch ready(static_cast<std::ptrdiff_t>(count)), go(1);
    std::vector<Instant> ends(count);  // Instant{} = no secret
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        ready.count_down();
        go.wait();
        if (attest(*guests_[i])) ends[i] = posix::SteadyClock().now();
      });
    }
    ready.wait();
    const Instant began = clock_.now();
    const double cpu = process_cpu_seconds();
    go.count_down();
    for (std::thread& thread : threads) thread.join();
    const double cpu_after = process_cpu_seconds();
    if (std::ranges::min(ends) == Instant{}) return std::nullopt;
    const std::chrono::duration<double> wall = std::ranges::max(ends) - began;
    return Times{wall.count(), cpu_after - cpu};
  }

 private:
  bool attest(Guest& guest) {
    auto line = posix::connect_unix(host_.path(), clock_, clock_.now() + 10s);
    if (!line) return false;
    posix::FdTransport wire(*std::move(line), clock_);
    return guest.releases(wire);
  }

  posix::SteadyClock clock_;
  Host host_;
  std::vector<std::unique_ptr<Guest>> guests_;
};

int cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void target_guests(benchmark::State& state) {
  log::start("attestbed_bench", log::Level::error);
  Fleet fleet;
  if (!fleet.start()) return state.SkipWithError("nothing released");
  for (auto _ : state) {
    double one = 1e9, all = 1e9, cpu = 1e9;
    const int times = std::min(rounds(), kRounds);
    for (int round = 0; round < times; ++round) {
      for (int i = 0; i < kSinglesPerRound; ++i) {
        const auto single = fleet.attest_with(1);
        if (!single) return state.SkipWithError("nothing released");
        one = std::min(one, single->wall);
        cpu = std::min(cpu, single->cpu);
      }
      const auto together = fleet.attest_with(kGuests);
      if (!together) return state.SkipWithError("nothing released");
      all = std::min(all, together->wall);
    }
    state.counters["proxy.guests_64"] = (all - one) / (kGuests * cpu / cores());
    char text[160];
    std::snprintf(text, sizeof text, "t(1) %.1f ms, t(64) %.1f ms, CPU %.2f ms, %d cores; minima of %d rounds",
                  1e3 * one, 1e3 * all, 1e3 * cpu, cores(), times);
    state.SetLabel(text);
  }
}
BENCHMARK(target_guests)->Name("target/proxy.guests_64")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
