// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/attestbed/run_testbed.h"

namespace attestbed::tools {

/// BrokerCall is one HTTP exchange between proxy and broker.
///   judgement  of a call that the broker refused: layer, code, field, expected, found, as its log has them; else null
///   fault      what the broker did wrong on purpose with the answer, of --fault; empty = nothing
///   octets, ms  as the proxy measured them; absent if the proxy's log has no such line
struct BrokerCall {
  std::string request;  // "POST /kbs/v0/auth"
  int status = 0;
  nlohmann::ordered_json judgement;
  std::string fault;
  std::optional<std::uint64_t> octets_sent, octets_received;
  std::optional<double> ms;
};

/// LogLine is a line as a program wrote it.
struct LogLine {
  std::string program, text;
};

/// GuestRun is one guest, seen from every side. The parts are joined by the attestation id that each of them logs.
///   result  the guest's own words (attest-guest --json), with `outcome`, `exit` and `code` (null if released) in any
///           case
///   host_attestation  the id at proxy and broker; empty if they had none
///   report  what the report says, by field; null if the guest got none
///   proxy   why the proxy ended the attempt: its `refused` event; null if it did not
///   words   the guest's line for people, if it had something to complain about
///   release_seen  the proxy, too, knows of a secret for this attestation
///   cookie, token  SHA-256 prefixes, as the logs have them
///   complaints  what each side wrote about what went wrong, in the order in which it crosses the borders: relay,
///               broker, proxy, guest
struct GuestRun {
  nlohmann::ordered_json result;
  nlohmann::ordered_json report;
  nlohmann::ordered_json proxy;
  std::vector<BrokerCall> calls;
  std::string host_attestation, cookie, token;
  std::vector<LogLine> complaints;
  std::optional<std::string> secret;
  std::string words;
  bool release_seen = false;

  std::string text(const char* member) const;  // a text of `result`, empty if it is none
  bool released() const { return text("outcome") == "released"; }
};

/// Logs are the event lines of the parts of one run, complete, read once for all guests.
class Logs {
 public:
  struct Event {
    nlohmann::ordered_json fields;
    std::string line;
  };
  using Events = std::vector<const Event*>;

  /// host_attestation is what a man in the middle knows the one guest's attempt by; empty = there was none.
  Logs() = default;
  Logs(const std::string& proxy, const std::string& broker, const std::string& relay = {},
       std::string host_attestation = {});
  Logs(Logs&&) = default;
  Logs(const Logs&) = delete;
  /// proxy has the events of an attestation, and those of a peer whose attempt ended before it had that name.
  Events proxy(const std::string& attestation, const std::string& peer) const;
  Events broker(const std::string& attestation) const;
  /// broker() has all events of it, also of what came to no attestation.
  const std::vector<Event>& broker() const { return broker_; }
  const std::vector<Event>& relay() const { return relay_; }
  const std::string& host_attestation() const { return host_attestation_; }

 private:
  std::vector<Event> proxy_, broker_, relay_;
  std::multimap<std::string, const Event*> proxy_by_name_, broker_by_name_;
  std::string host_attestation_;
};

/// observe joins what a guest left behind with what the others logged about it. The logs are our own programs', yet a
/// program that was killed leaves half lines: what does not parse is passed over.
GuestRun observe(const GuestOutput& guest, const Logs& logs);

}  // namespace attestbed::tools
