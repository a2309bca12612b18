// SPDX-License-Identifier: Apache-2.0
#pragma once

// For the tests of kds-client: a simulated KDS in this process, a directory that goes away, and a client of both.
#include <gtest/gtest.h>

#include <filesystem>

#include "http-client/curl_handle.h"
#include "kds-client/client.h"
#include "sim/kds/server.h"
#include "sim/manual_clock.h"

namespace attestbed::kds::test {

inline const sim::KdsCatalogue& catalogue() {
  static const sim::KdsCatalogue made = *sim::KdsCatalogue::of_default_seed();
  return made;
}

/// Scratch is an empty directory below the test's temporary one.
class Scratch {
 public:
  Scratch() {
    path_ = testing::TempDir() + "kds-XXXXXX";
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// KdsTest: the client's clock is under the test's hand, so that no pause takes time.
class KdsTest : public testing::Test {
 protected:
  static constexpr verify::Time kNow{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};

  void serve(const std::vector<const char*>& faults = {}) {
    sim::KdsFaultPlan plan;
    for (const char* fault : faults) plan.push_back(*sim::parse_kds_fault(fault));
    auto started = sim::KdsServer::start(
        catalogue(), std::move(plan), {.host = "127.0.0.1", .port = 0, .loopback = true}, [](const sim::KdsRecord&) {});
    ASSERT_TRUE(started) << started.error().text;
    server_ = *std::move(started);
    options_.url = "http://127.0.0.1:" + std::to_string(server_->port());
  }

  std::unique_ptr<Client> client() {
    options_.wall_clock = [this] { return now_; };
    options_.warn = [this](const Refusal& why) { warnings_.push_back(why.text()); };
    auto made = Client::make(options_, clock_);
    EXPECT_TRUE(made) << made.error().text();
    return *std::move(made);
  }

  Deadline in(std::chrono::seconds time) { return clock_.now() + time; }

  /// vcek is the request for the default seed's chip of a product, at its own TCB.
  static Request vcek(snp::Product product = snp::Product::milan) {
    const sim::CertificateAuthority& authority = catalogue().authorities().at(product);
    return *Request::vcek(product, authority.chip_id(), authority.tcb());
  }
  static std::vector<std::uint8_t> vcek_der(snp::Product product = snp::Product::milan) {
    return catalogue().authorities().at(product).vcek();
  }

  const http::Library library_;
  Scratch scratch_;
  sim::ManualClock clock_;
  verify::Time now_ = kNow;
  std::vector<std::string> warnings_;
  Options options_;
  std::unique_ptr<sim::KdsServer> server_;
};

}  // namespace attestbed::kds::test
