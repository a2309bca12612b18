// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/metrics.h"

#include <gtest/gtest.h>

#include <sstream>

#include "mock-kbs/fault_fixture.h"

namespace attestbed::kbs {
namespace {

// A page of Prometheus' text format: sample name, with labels, to value. Every sample must be under its family.
std::map<std::string, double> samples(const std::string& page) {
  std::map<std::string, double> all;
  std::string family;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (first == "#") {
      EXPECT_TRUE(second == "HELP" || second == "TYPE") << line;
      if (second == "TYPE") {
        EXPECT_EQ(third, family);
      }
      family = third;
      continue;
    }
    EXPECT_TRUE(first.starts_with(family)) << line;
    EXPECT_TRUE(all.emplace(first, std::stod(second)).second) << line;
  }
  return all;
}

class MetricsTest : public testing::Test {
 protected:
  Response send(const Request& request) {
    return metrics_.serve(request, [this](const Request& one) { return broker_.send(one); });
  }
  std::map<std::string, double> page() {
    const Response response = send({.method = "GET", .target = "/metrics"});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/plain; version=0.0.4");
    EXPECT_EQ(response.audit.endpoint, "GET metrics");
    return samples(response.body);
  }
  // One request of an attestation, counted.
  Response counted(const std::function<Response()>& step) {
    return metrics_.serve({.method = "POST", .target = "/counted"}, [&](const Request&) { return step(); });
  }

  FaultyBroker broker_{{"resource:3:500"}};
  Metrics metrics_;
};

TEST_F(MetricsTest, CountsWhatBecomesOfRequests) {
  TestGuest good, bad;
  counted([&] { return broker_.auth(good); });
  counted([&] { return broker_.auth(bad); });
  send({.method = "POST", .target = "/kbs/v0/auth", .body = "{}"});
  counted([&] { return broker_.attest(good); });
  counted([&] { return broker_.attest(bad, 0x77); });                  // unknown measurement: evidence refused
  send({.method = "POST", .target = "/kbs/v0/attest", .body = "{}"});  // no session: no judgement
  counted([&] { return broker_.resource(good); });
  counted([&] { return broker_.resource(good, "default/sample/empty"); });
  counted([&] { return broker_.resource(good); });  // broken on purpose
  counted([&] { return broker_.resource(bad); });
  const auto all = page();
  EXPECT_EQ(all.at("http_requests_total"), 10);
  EXPECT_EQ(all.at("http_active_connections"), 0);
  EXPECT_EQ(all.at("auth_requests_total"), 3);
  EXPECT_EQ(all.at("auth_successes_total"), 2);
  EXPECT_EQ(all.at("auth_errors_total"), 1);
  EXPECT_EQ(all.at("attestation_requests_total"), 3);
  EXPECT_EQ(all.at("attestation_successes_total{tee_type=\"snp\"}"), 1);
  EXPECT_EQ(all.at("attestation_failures_total{tee_type=\"snp\"}"), 1);
  EXPECT_EQ(all.at("attestation_errors_total"), 1);
  EXPECT_EQ(all.at("resource_reads_total{resource_path=\"default/sample/test\"}"), 2);
  EXPECT_EQ(all.at("resource_reads_total{resource_path=\"default/sample/empty\"}"), 1);
  EXPECT_EQ(all.at("attestbed_faults_total"), 1);
  EXPECT_GT(all.at("process_resident_memory_bytes"), 0);
}

TEST_F(MetricsTest, FillsBucketsCumulatively) {
  for (const std::size_t size : {10U, 100U, 100'000U}) {
    send({.method = "POST", .target = "/kbs/v0/auth", .body = std::string(size, ' ')});
  }
  const auto all = page();
  EXPECT_EQ(all.at("http_request_size_bytes_bucket{le=\"32\"}"), 1);
  EXPECT_EQ(all.at("http_request_size_bytes_bucket{le=\"128\"}"), 2);
  EXPECT_EQ(all.at("http_request_size_bytes_bucket{le=\"8192\"}"), 2);
  EXPECT_EQ(all.at("http_request_size_bytes_bucket{le=\"+Inf\"}"), 3);
  EXPECT_EQ(all.at("http_request_size_bytes_count"), 3);
  EXPECT_EQ(all.at("http_request_size_bytes_sum"), 100'110);
  EXPECT_EQ(all.at("http_request_duration_seconds_count"), 3);
}

TEST_F(MetricsTest, KeepsLabelsBounded) {
  for (int i = 0; i < 200; ++i) metrics_.written("a/b/" + std::to_string(i));
  std::size_t labels = 0;
  for (const auto& [name, value] : page()) labels += name.starts_with("resource_writes_total{") ? 1 : 0;
  EXPECT_EQ(labels, 65U);
  EXPECT_EQ(page().at("resource_writes_total{resource_path=\"other\"}"), 136);
}

TEST_F(MetricsTest, NeverNamesAPathThatSomebodyMadeUp) {
  send({.method = "GET", .target = "/kbs/v0/resource/x/y/\"}\n"});
  for (const auto& [name, value] : page()) EXPECT_EQ(name.find("x/y"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::kbs
