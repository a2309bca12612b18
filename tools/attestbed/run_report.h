// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/attestbed/run_faults.h"
#include "tools/attestbed/run_observation.h"
#include "tools/attestbed/vm_facts.h"

namespace attestbed::tools {

/// ShowSecret says whether what was released is shown, or only its length.
enum class ShowSecret { no, yes };

/// RunResult is everything that one `attestbed run` found out.
struct RunResult {
  Scenario scenario;
  std::string measurement;
  std::vector<Part> parts;
  std::vector<std::string> early_ends;
  std::vector<GuestRun> guests;
  std::vector<FaultFate> faults{};         // what became of each --fault
  std::chrono::nanoseconds guests_took{};  // from the start of the first to the end of the last
  std::string kept;                        // the folder of --keep, empty = none
  std::optional<VmFacts> vm{};             // of attestbed vm

  bool all_released() const;
  /// exit is the exit status of attestbed run: 0 if nothing was broken and every guest has its secret; 1 if not, or if
  /// what was broken was noticed as it should; 3 if it was not, or if a planned fault never happened.
  int exit() const;
};

/// run_json is the result as one object. Members are only ever added.
///   simulated, exit, product, measurement, resource, transport, kept (folder or null)
///   binding, key, tls, faults   as they were asked for
///   faults_applied   what became of each of them, by the broker's log: see faults_json
///   summary     {guests, released, refused, failed, wall_ms}; the time is from the start of the first guest to the end
///               of the last
///   break       see break_json; null without --break
///   guests      one entry a guest: what attest-guest --json printed, and beside it
///               calls          [{request, status, octets_sent, octets_received, ms, fault, judgement}], HTTP as
///                              broker and proxy logged it; fault only if the broker was told to break the answer;
///                              judgement only if it refused: {layer, code, field, expected, found}
///               report         fields of the report; null if there was none
///               guest          its number, from 1
///               code           of the error; null if it has its secret
///               reason         why there is no secret, in words; null if there is one
///               words          the guest's own line for people; null if it has its secret
///               host_attestation   the id in the logs of proxy and broker, if it is not the guest's; else null
///               proxy          the proxy's reason to end the attempt; null if it did not
///               cookie_sha256, token_sha256   first 16 hex digits, as in the logs; null if there was none
///               secret.shown   the secret; only if asked for
///   parts       [{name, ready, ms}] that were started
///   early_ends  parts that ended before they were told to
///   vm          the machine of a guest in a VM: see vm_json; null of attestbed run
std::string run_json(const RunResult& result, ShowSecret show);

/// run_text is the result for people. Of one guest: parts, who said what to whom with times, what it means, and last
/// the secret. Of several: parts and a table.
std::string run_text(const RunResult& result, ShowSecret show);

}  // namespace attestbed::tools
