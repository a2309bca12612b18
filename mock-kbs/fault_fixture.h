// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mock-kbs/broker_fixture.h"
#include "mock-kbs/fault_injector.h"

// For tests alone: guests that attest at a broker under a fault plan.
namespace attestbed::kbs {

class FaultyBroker {
 public:
  explicit FaultyBroker(const std::vector<std::string>& plan, std::uint64_t seed = 1);

  /// auth opens a session and makes `guest` the guest of it: what it would send is in good form.
  Response auth(TestGuest& guest);
  Response attest(TestGuest& guest, std::uint8_t measurement = 0xa1);
  Response resource(const TestGuest& guest, const std::string& path = "default/sample/test",
                    const std::string& bearer = {});
  /// attested is a guest that got that far without a fault of its own.
  TestGuest attested(std::uint8_t measurement = 0xa1);

  Response send(const Request& request) { return faults_.handle(fixture_.broker(), request); }
  BrokerFixture& fixture() { return fixture_; }
  FaultInjector& faults() { return faults_; }

 private:
  BrokerFixture fixture_;
  FaultInjector faults_;
};

}  // namespace attestbed::kbs
