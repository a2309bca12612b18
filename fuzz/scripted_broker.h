// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/base/reader.h"
#include "fuzz/recorded_cases.h"
#include "proxy/backend.h"
#include "sim/manual_clock.h"

namespace attestbed::fuzz {

/// BrokerScript says what a broker answers: the recorded case case:1, or for auth, attest and resource what:1 delay:1
/// (200 ms each) size:1. `what` modulo 5 is success, success with a token or ciphertext of its own size, a failure, a
/// wait until the deadline, or an exception.
struct BrokerScript {
  struct Step {
    std::uint8_t what = 0, delay = 0, size = 0;
  };
  explicit BrokerScript(Reader& script);
  std::size_t first_case = 0;
  std::array<Step, 3> steps{};
};

/// BrokerRecord is what happened in one session at the broker.
///   calls   of 'a' (auth), 't' (attest), 'r' (resource), in their order; upper case if the call succeeded
struct BrokerRecord {
  struct Posted {
    std::vector<std::uint8_t> report, certs, challenge;
    protocol::GuestPublicKey key;
  };
  const RecordedCase* recorded = nullptr;
  std::string calls, path, token;
  std::optional<Posted> posted;
  std::vector<std::uint8_t> ciphertext;
};

/// ScriptedBroker keeps the promises of a BrokerSession. All sessions of a broker act out the same script; each answers
/// with a recorded case of its own, so that their nonces differ.
class ScriptedBroker final : public proxy::BrokerSession {
 public:
  ScriptedBroker(const BrokerScript& script, std::size_t session, BrokerRecord& record, sim::ManualClock& clock);
  proxy::Outcome<protocol::Challenge> auth(protocol::Tee tee, Deadline until) override;
  proxy::Outcome<std::string> attest(const protocol::AttestationRequest& request, protocol::Binding,
                                     Deadline until) override;
  proxy::Outcome<proxy::SealedSecret> resource(const protocol::ResourcePath& path, Deadline until) override;
  proxy::BrokerTraffic last_call() const override { return {.status = 200}; }
  std::string label() const override { return "0123456789abcdef"; }

 private:
  proxy::Outcome<void> act(const BrokerScript::Step& step, char name, Deadline until);

  const BrokerScript& script_;
  BrokerRecord& record_;
  sim::ManualClock& clock_;
};

}  // namespace attestbed::fuzz
