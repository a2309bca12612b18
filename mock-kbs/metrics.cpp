// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/metrics.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace attestbed::kbs {
namespace {

constexpr char kOther[] = "other";

std::string number(double value) {
  std::array<char, 32> text;
  const int n = std::snprintf(text.data(), text.size(), "%.9g", value);
  return {text.data(), static_cast<std::size_t>(n)};
}

// One family of metrics: its two comments, then its samples.
class Page {
 public:
  void family(const char* name, const char* type, const char* help) {
    text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  }
  void sample(const std::string& name, const std::string& value) { text_ += name + " " + value + "\n"; }
  void counter(const char* name, const char* help, std::uint64_t value) {
    family(name, "counter", help);
    sample(name, std::to_string(value));
  }
  void by_tee(const char* name, const char* help, const std::array<std::uint64_t, 2>& counts) {
    family(name, "counter", help);
    for (const Tee tee : {Tee::snp, Tee::sample}) {
      sample(std::string(name) + "{tee_type=\"" + tee_name(tee) + "\"}",
             std::to_string(counts[static_cast<std::size_t>(tee)]));
    }
  }
  void by_path(const char* name, const char* help, const std::map<std::string, std::uint64_t, std::less<>>& paths) {
    family(name, "counter", help);
    for (const auto& [path, count] : paths) {
      sample(std::string(name) + "{resource_path=\"" + path + "\"}", std::to_string(count));
    }
  }
  template <std::size_t N>
  void histogram(const std::string& name, const char* help, const Histogram<N>& histogram) {
    family(name.c_str(), "histogram", help);
    for (std::size_t i = 0; i < N; ++i) {
      sample(name + "_bucket{le=\"" + number(histogram.bounds[i]) + "\"}", std::to_string(histogram.buckets[i]));
    }
    sample(name + "_bucket{le=\"+Inf\"}", std::to_string(histogram.count));
    sample(name + "_sum", number(histogram.sum));
    sample(name + "_count", std::to_string(histogram.count));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::uint64_t resident_octets() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Response Metrics::serve(const Request& request, const Handle& next) {
  if (request.method == "GET" && request.target == "/metrics") {
    Response response;
    response.body = text();
    response.content_type = "text/plain; version=0.0.4";
    response.audit.peer = request.peer;
    response.audit.endpoint = "GET metrics";
    response.audit.status = response.status;
    return response;
  }
  const auto from = std::chrono::steady_clock::now();
  began();
  Response response = next(request);
  count(request, response, std::chrono::steady_clock::now() - from);
  return response;
}

void Metrics::written(const std::string& path) {
  const std::lock_guard lock(mutex_);
  count_path(writes_, path);
}

void Metrics::began() {
  const std::lock_guard lock(mutex_);
  ++active_;
}

void Metrics::count(const Request& request, const Response& response, std::chrono::duration<double> took) {
  const std::lock_guard lock(mutex_);
  --active_;
  ++requests_;
  duration_.observe(took.count());
  request_size_.observe(static_cast<double>(request.body.size()));
  response_size_.observe(static_cast<double>(response.body.size()));
  faults_ += response.audit.fault.empty() ? 0 : 1;
  // What the broker made of it, whatever a fault then made of the answer.
  const bool refused = response.audit.refusal.has_value();
  const std::string& endpoint = response.audit.endpoint;
  if (endpoint == "POST auth") {
    ++auth_;
    auth_ok_ += refused ? 0 : 1;
  } else if (endpoint == "POST attest") {
    ++attest_;
    const auto tee = static_cast<std::size_t>(response.audit.tee == tee_name(Tee::sample) ? Tee::sample : Tee::snp);
    attest_ok_[tee] += refused ? 0 : 1;
    // Evidence that was judged and fell, or a request that never came to a judgement.
    attest_failed_[tee] += refused && !response.audit.layer.empty() ? 1 : 0;
    attest_error_ += refused && response.audit.layer.empty() ? 1 : 0;
  } else if (endpoint == "GET resource") {
    count_resource(response);
  }
}

void Metrics::count_resource(const Response& response) {
  const bool denied = response.body.find("/errors/PolicyDeny\"") != std::string::npos;
  const bool released = !response.audit.refusal;
  policy_ += denied || released ? 1 : 0;
  policy_denied_ += denied ? 1 : 0;
  policy_allowed_ += released ? 1 : 0;
  if (released) count_path(reads_, response.audit.resource);
}

void Metrics::count_path(Paths& paths, const std::string& path) {
  const auto known = paths.find(path);
  if (known != paths.end()) {
    ++known->second;
  } else {
    ++paths[paths.size() < kMaxPaths ? path : kOther];
  }
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  Page page;
  page.counter("http_requests_total", "Requests answered, but those for this page.", requests_);
  page.histogram("http_request_duration_seconds", "Time to answer a request, without its transport.", duration_);
  page.histogram("http_request_size_bytes", "Octets of request bodies.", request_size_);
  page.histogram("http_response_size_bytes", "Octets of response bodies.", response_size_);
  page.family("http_active_connections", "gauge", "Requests being answered at the moment.");
  page.sample("http_active_connections", std::to_string(active_));
  page.counter("auth_requests_total", "Requests for a challenge.", auth_);
  page.counter("auth_successes_total", "Challenges given.", auth_ok_);
  page.counter("auth_errors_total", "Requests for a challenge that were refused.", auth_ - auth_ok_);
  page.counter("attestation_requests_total", "Attestations.", attest_);
  page.by_tee("attestation_successes_total", "Attestations that got a token.", attest_ok_);
  page.by_tee("attestation_failures_total", "Attestations whose evidence was refused.", attest_failed_);
  page.counter("attestation_errors_total", "Attestations that came to no judgement.", attest_error_);
  page.counter("kbs_policy_evaluations_total", "Requests that the resource policy decided.", policy_);
  page.counter("kbs_policy_approvals_total", "Requests that it allowed.", policy_allowed_);
  page.counter("kbs_policy_violations_total", "Requests that it denied.", policy_denied_);
  page.counter("kbs_policy_errors_total", "Evaluations that failed: a table of rules cannot.", 0);
  page.by_path("resource_reads_total", "Resources released.", reads_);
  page.by_path("resource_writes_total", "Resources set or removed by their owner.", writes_);
  page.counter("attestbed_faults_total", "Answers that were broken on purpose.", faults_);
  page.family("process_resident_memory_bytes", "gauge", "Resident memory.");
  page.sample("process_resident_memory_bytes", std::to_string(resident_octets()));
  return page.take();
}

}  // namespace attestbed::kbs
