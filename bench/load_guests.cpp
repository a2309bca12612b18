// SPDX-License-Identifier: Apache-2.0
#include "bench/load_guests.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

#include "core/posix/fd_transport.h"
#include "sim/seeded_entropy.h"

namespace attestbed::bench {

const sim::Machine* load_machine() {
  static const std::optional<sim::Machine> made = []() -> std::optional<sim::Machine> {
    auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    if (!authority) return std::nullopt;
    return sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*std::move(authority)));
  }();
  return made ? &*made : nullptr;
}

bool LoadGuest::launch() {
  const sim::Machine* const machine = load_machine();
  if (machine == nullptr) return false;
  sim::SeededEntropy launch_entropy(1, "load");
  auto launch = sim::Launch::start(*machine, sim::kDefaultPolicy, launch_entropy);
  if (!launch) return false;
  firmware_.emplace(*machine, (*std::move(launch)).finish({}));
  auto key = snp::vmpck_from_secrets_page(firmware_->guest().secrets_page(*machine), 0);
  if (!key) return false;
  channel_.emplace(*std::move(key), *firmware_, clock_, *pages_, snp::GuestChannel::Options{});
  return true;
}

Result<snp::RawReport> LoadGuest::report() {
  const Evidence evidence = TRY(channel_->report({}, clock_.now() + std::chrono::seconds(10)));
  return evidence.report;
}

Status LoadGuest::attempt(const std::string& path, const AttestConfig& config) {
  auto line = posix::connect_unix(path, clock_, clock_.now() + config.budget);
  if (!line) return Error{Errc::io_failed, "connect"};
  posix::FdTransport wire(*std::move(line), clock_);
  const Platform platform{.wire = wire, .reports = *channel_, .entropy = entropy_, .clock = clock_};
  const auto workspace = std::make_unique<Workspace>();
  const Result<Released> released = attest(platform, config, *workspace);
  return released ? ok() : Status(released.error());
}

std::optional<LoadResult> run_load(const std::string& socket, int guests, int attempts, const AttestConfig& config) {
  std::vector<std::unique_ptr<LoadGuest>> crowd;
  for (int i = 0; i < guests; ++i) {
    crowd.push_back(std::make_unique<LoadGuest>());
    if (!crowd.back()->launch()) return std::nullopt;
  }
  LoadResult result;
  std::mutex mutex;
  std::atomic<int> left = attempts;
  std::latch ready(guests), go(1);
  std::vector<std::thread> threads;
  for (const auto& guest : crowd) {
    threads.emplace_back([&, &one = *guest] {
      posix::SteadyClock clock;
      std::vector<double> ms;
      std::map<std::string, int> failed;
      ready.count_down();
      go.wait();
      while (left.fetch_sub(1) > 0) {
        const Instant began = clock.now();
        const Status ended = one.attempt(socket, config);
        const std::chrono::duration<double, std::milli> took = clock.now() - began;
        if (ended) ms.push_back(took.count());
        if (!ended) ++failed[error_name(ended.error().code)];
      }
      const std::lock_guard lock(mutex);
      result.ms.insert(result.ms.end(), ms.begin(), ms.end());
      for (const auto& [code, times] : failed) result.failed[code] += times;
    });
  }
  ready.wait();
  posix::SteadyClock clock;
  const Instant began = clock.now();
  go.count_down();
  for (std::thread& thread : threads) thread.join();
  result.seconds = std::chrono::duration<double>(clock.now() - began).count();
  std::ranges::sort(result.ms);
  return result;
}

}  // namespace attestbed::bench
