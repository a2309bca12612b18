// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/base/reader.h"
#include "fuzz/recorded_cases.h"
#include "proxy/backend.h"
#include "sim/manual_clock.h"

namespace attestbed::fuzz {

/// ScriptedBroker keeps the promises of a BrokerSession and answers with a recorded case, or as the script says:
/// case:1, then for auth, attest and resource what:1 delay:1 (200 ms each) size:1. `what` modulo 5 is success, success
/// with a token or ciphertext of its own size, a failure, a wait until the deadline, or an exception.
class ScriptedBroker final : public proxy::BrokerSession {
 public:
  /// Posted is what the broker was given to attest.
  struct Posted {
    std::vector<std::uint8_t> report, certs, challenge;
    crypto::EcPoint key;
  };

  ScriptedBroker(Reader& script, sim::ManualClock& clock);
  proxy::Outcome<protocol::Challenge> auth(protocol::Tee tee, Deadline until) override;
  proxy::Outcome<std::string> attest(const protocol::AttestationRequest& request, Deadline until) override;
  proxy::Outcome<proxy::SealedSecret> resource(const protocol::ResourcePath& path, Deadline until) override;
  proxy::BrokerTraffic last_call() const override { return {.status = 200}; }
  std::string label() const override { return "0123456789abcdef"; }

  /// What happened: calls in their order, what was posted, which path was asked for, what the broker gave.
  const std::string& calls() const { return calls_; }  // of 'a', 't', 'r'; upper case if the call succeeded
  const std::optional<Posted>& posted() const { return posted_; }
  const std::string& path() const { return path_; }
  const std::string& token() const { return token_; }
  const std::vector<std::uint8_t>& ciphertext() const { return ciphertext_; }
  const RecordedCase& recorded() const { return recorded_; }

 private:
  struct Step {
    std::uint8_t what = 0, delay = 0, size = 0;
  };
  proxy::Outcome<void> act(const Step& step, char name, Deadline until);

  const RecordedCase& recorded_;
  std::array<Step, 3> steps_{};
  sim::ManualClock& clock_;
  std::string calls_, path_, token_;
  std::optional<Posted> posted_;
  std::vector<std::uint8_t> ciphertext_;
};

}  // namespace attestbed::fuzz
