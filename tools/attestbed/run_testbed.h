// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/attestbed/run_scenario.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"

namespace attestbed::tools {

/// Part is a program that was started and said it was ready.
struct Part {
  std::string name;
  std::string ready;  // its readiness line
  std::chrono::nanoseconds took{};
};

/// GuestOutput is what one attest-guest left behind.
///   result  what it printed: one JSON object, or nothing if it died
///   secret  what it wrote to its file, absent if it wrote none
///   report  the attestation report it got, 1184 octets, absent if it got none
struct GuestOutput {
  launch::Exit exit;
  std::string result;
  std::optional<std::string> secret;
  std::optional<std::string> report;
};

/// Testbed is firmware, broker and proxy as real processes on private sockets in a scratch directory, and guests that
/// are run against them. Its destructor ends every process and removes every file.
class Testbed {
 public:
  Testbed(Scenario scenario, launch::ScratchDir scratch, Clock& clock, int stop_fd);

  /// start brings up snp-sim, measures its guest, then mock-kbs, which knows that measurement alone, then attest-proxy.
  launch::Outcome<void> start();
  /// run_guest runs one attest-guest to its end. A guest that is refused is no Failure: its exit and result say so.
  launch::Outcome<GuestOutput> run_guest();
  /// stop ends all parts, so that their logs are complete.
  void stop() { children_.end_all(); }

  const std::vector<Part>& parts() const { return parts_; }
  const std::string& measurement() const { return measurement_; }
  const std::string& broker_url() const { return broker_url_; }
  /// log is the standard error of the program, complete once stop() was called.
  std::string log(std::string_view program) const;
  /// early_ends names the parts that ended before stop(), and how: "attest-proxy: signal 9 (Killed)".
  std::vector<std::string> early_ends() const;
  /// keep_in copies logs, certificates and the last guest's result and report, never a secret, into the new or empty
  /// directory `folder`.
  launch::Outcome<void> keep_in(const std::string& folder) const;

 private:
  launch::Outcome<std::string> start_part(const char* name, std::vector<std::string> args);
  launch::Outcome<void> make_certificates();
  std::string file(std::string_view name) const { return scratch_.file(name); }

  Scenario scenario_;
  launch::ScratchDir scratch_;  // declared before the children: they end before it goes away
  Clock& clock_;
  launch::Children children_;
  std::vector<Part> parts_;
  std::vector<launch::Child*> servers_;
  std::string measurement_, broker_url_;
};

}  // namespace attestbed::tools
