// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mock-kbs/handlers.h"

// For tests alone: a broker on a simulated machine's roots, with time under the test's hand, and guests that do
// everything right until a test breaks one thing.
namespace attestbed::kbs {

/// HandSetDate is the date under a test's hand.
class HandSetDate final : public WallClock {
 public:
  verify::Time now() override { return now_; }
  void advance(std::chrono::seconds by) { now_ += by; }

 private:
  verify::Time now_ = std::chrono::sys_days(std::chrono::year(2025) / 10 / 1);
};

/// TestGuest is one guest in the middle of an attestation: what it would send, before it is put into JSON.
struct TestGuest {
  std::string cookie;
  std::string nonce;
  snp::RawReport report{};  // measurement, policy and REPORT_DATA as they should be; not signed yet
};

/// BrokerFixture knows six entries by the octet that their measurement repeats: a1 the test's own guest, a2 a guest
/// with another secret, a3 one whose root is another, a4 one that may be debugged and migrated and is exposed to W1, a5
/// one whose binding is kbs-sha384, a6 one that demands a TCB above the machine's.
class BrokerFixture {
 public:
  explicit BrokerFixture(SessionTable::Limits limits = {}, AppraisalMode mode = AppraisalMode::strict);
  ~BrokerFixture();

  Broker& broker();
  HandSetDate& date();
  void advance(std::chrono::seconds by);  // both clocks

  /// open_session is a guest after POST /auth, with key and report ready.
  TestGuest open_session(Tee tee = Tee::snp);
  const crypto::EcKey& guest_key() const;
  const crypto::EcKey& other_key() const;
  /// report_data_for is the binding svsm-sha512 of `key` and a nonce in base64.
  static snp::ReportData report_data_for(const crypto::EcPoint& key, const std::string& nonce);
  /// sign puts the VCEK's signature over the report as it is.
  static void sign(snp::RawReport& report);
  static Bytes vcek();

  nlohmann::json attest_body(const TestGuest& guest) const;
  Request attest_request(const TestGuest& guest, const std::string& body) const;
  /// attest signs, sends and returns the answer.
  Response attest(TestGuest& guest);
  Response get_resource(const std::string& cookies, const std::string& path, const std::string& authorization = {});

  /// open_jwe is core's jwe_open on a resource answer, with the guest's key; empty with a test failure if it fails.
  std::string open_jwe(const std::string& body) const;

  static constexpr std::string_view kSecret = "hello, SVSM!";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::kbs
