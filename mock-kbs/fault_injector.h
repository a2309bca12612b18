// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mock-kbs/fault_noise.h"
#include "mock-kbs/fault_plan.h"
#include "mock-kbs/handlers.h"
#include "mock-kbs/server.h"

namespace attestbed::kbs {

/// FaultInjector lets a plan break what the broker answers. Every request is handled as always, so sessions, log and
/// verdicts stay the broker's; then the first fault of the plan that fits changes the answer, and the audit record says
/// which. A fault that finds nothing to break (an answer without a cookie, no earlier session) leaves the answer as it
/// is and is recorded as skipped; the request counts. Safe from any thread.
class FaultInjector {
 public:
  /// set replaces the plan; counting begins anew, and nothing earlier is remembered.
  void set(FaultPlan plan);
  FaultPlan plan() const;

  /// handle is kbs::handle() under the plan.
  Response handle(Broker& broker, const Request& request);
  /// greet judges one connection under it.
  Greeting greet();

 private:
  struct Chosen {
    Fault fault;
    FaultNoise noise;
  };
  // What some session was given at last, for faults that mix guests up.
  struct Given {
    std::string attestation;
    SealedSecret what;
  };
  // What a fault may need of answers before this one.
  struct Earlier {
    std::optional<Response> first;
    std::string nonce;
    std::optional<SealedSecret> of_another;
  };
  std::optional<Chosen> choose(FaultEndpoint at, const AuditRecord& audit);
  bool concerns(std::size_t index, FaultEndpoint at, const AuditRecord& audit) const;
  Earlier remember(FaultEndpoint at, const Response& response);
  bool apply(const Chosen& chosen, FaultEndpoint at, const Earlier& earlier, Broker& broker, const Request& request,
             Response& response);

  mutable std::mutex mutex_;
  FaultPlan plan_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::string> sessions_;  // for each fault the attestation of the session it is meant for, once it is open
  std::uint64_t opened_ = 0;
  std::array<std::optional<Response>, 3> first_;
  std::string nonce_;
  std::optional<Given> given_, given_before_;
};

}  // namespace attestbed::kbs
