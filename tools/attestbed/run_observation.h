// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/attestbed/run_testbed.h"

namespace attestbed::tools {

/// BrokerCall is one HTTP exchange between proxy and broker.
///   judgement  of a call that the broker refused: layer, code, field, expected, found, as its log has them; else null
///   octets, ms  as the proxy measured them; absent if the proxy's log has no such line
struct BrokerCall {
  std::string request;  // "POST /kbs/v0/auth"
  int status = 0;
  nlohmann::ordered_json judgement;
  std::optional<std::uint64_t> octets_sent, octets_received;
  std::optional<double> ms;
};

/// GuestRun is one guest, seen from every side. The parts are joined by the attestation id that each of them logs.
///   result  the guest's own words (attest-guest --json), with `outcome`, `exit` and `code` in any case
///   report  what the report says, by field; null if the guest got none
///   proxy   why the proxy ended the attempt: its `refused` event; null if it did not
///   cookie, token  SHA-256 prefixes, as the logs have them
struct GuestRun {
  nlohmann::ordered_json result;
  nlohmann::ordered_json report;
  nlohmann::ordered_json proxy;
  std::vector<BrokerCall> calls;
  std::string cookie, token;
  std::optional<std::string> secret;

  bool released() const;
};

/// Logs are the event lines of the parts of one run, complete.
struct Logs {
  std::string proxy, broker;
};

/// observe joins what a guest left behind with what the others logged about it. The logs are our own programs', yet a
/// program that was killed leaves half lines: what does not parse is passed over.
GuestRun observe(const GuestOutput& guest, const Logs& logs);

}  // namespace attestbed::tools
