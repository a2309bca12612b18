// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// Histogram counts observations in cumulative buckets, as Prometheus has them.
template <std::size_t N>
struct Histogram {
  std::array<double, N> bounds{};
  std::array<std::uint64_t, N> buckets{};
  std::uint64_t count = 0;
  double sum = 0;

  void observe(double value) {
    for (std::size_t i = 0; i < N; ++i) buckets[i] += value <= bounds[i] ? 1 : 0;
    ++count;
    sum += value;
  }
};

/// Metrics counts what the broker answers and serves it at GET /metrics, in Prometheus' text format 0.0.4 under the
/// names that Trustee's KBS uses (its kbs/src/prometheus.rs); names that are ours alone begin with `attestbed_`. Labels
/// are bounded: a resource path is one that was released, and the 65th is "other". Nothing in it is secret; digests,
/// tokens and cookies are not in it either. Safe from any thread.
class Metrics {
 public:
  using Handle = std::function<Response(const Request&)>;

  /// serve answers GET /metrics itself, and everything else by `next`, whose answer it counts.
  Response serve(const Request& request, const Handle& next);
  /// written counts a change of a resource by its owner.
  void written(const std::string& path);

  std::string text() const;

 private:
  static constexpr std::size_t kMaxPaths = 64;
  using Paths = std::map<std::string, std::uint64_t, std::less<>>;
  void began();
  void count(const Request& request, const Response& response, std::chrono::duration<double> took);
  void count_resource(const Response& response);
  static void count_path(Paths& paths, const std::string& path);

  mutable std::mutex mutex_;
  std::uint64_t requests_ = 0;
  std::uint64_t active_ = 0;
  std::uint64_t auth_ = 0, auth_ok_ = 0;
  std::uint64_t attest_ = 0, attest_error_ = 0;
  std::array<std::uint64_t, 2> attest_ok_{}, attest_failed_{};  // by Tee
  std::uint64_t policy_ = 0, policy_allowed_ = 0, policy_denied_ = 0;
  std::uint64_t faults_ = 0;
  Paths reads_, writes_;
  Histogram<7> duration_{.bounds = {0.0005, 0.001, 0.005, 0.01, 0.05, 0.5, 1.0}};
  Histogram<5> request_size_{.bounds = {32, 128, 512, 2048, 8192}};
  Histogram<5> response_size_{.bounds = {32, 128, 512, 2048, 8192}};
};

}  // namespace attestbed::kbs
