// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/attestbed/run_lines.h"
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
///   words   its line for people, if it had something to complain about
///   secret  what it wrote to its file, absent if it wrote none
///   report  the attestation report it got, 1184 octets, absent if it got none
///   peer    what a proxy's log calls it as long as there is no attestation id
struct GuestOutput {
  launch::Exit exit;
  std::string result;
  std::string words{};
  std::optional<std::string> secret;
  std::optional<std::string> report;
  std::string peer{};
};

/// Testbed is firmware, broker and proxy as real processes on private sockets in a scratch directory, and guests that
/// are run against them. Its destructor ends every process and removes every file.
class Testbed {
 public:
  Testbed(Scenario scenario, launch::ScratchDir scratch, Clock& clock, int stop_fd);

  /// start brings up snp-sim, then mock-kbs, which knows the measurement of one image alone, then attest-proxy.
  launch::Outcome<void> start();
  /// run_guests runs all attest-guests at once, to their ends, and returns them in order. A guest that is refused is no
  /// Failure: its exit and result say so. One that hangs beyond its own deadline is killed, which its exit says.
  ///   tell  hears how many have ended
  launch::Outcome<std::vector<GuestOutput>> run_guests(const std::function<void(std::size_t ended)>& tell);
  /// stop ends all parts, so that their logs are complete.
  void stop();

  const std::vector<Part>& parts() const { return parts_; }
  /// measurement is the launch digest that the broker knows.
  const std::string& measurement() const { return measurement_; }
  /// guests_took is the time from the start of the first guest to the end of the last.
  std::chrono::nanoseconds guests_took() const { return guests_took_; }
  /// log is the standard error of the program, complete once stop() was called; "relay" is the man in the middle.
  std::string log(std::string_view program) const;
  /// host_attestation is the id that proxy and broker have for the attestation whose line has a man in the middle.
  std::string host_attestation() const { return lines_.host_attestation(); }
  /// early_ends names the parts that ended before stop(), and how: "attest-proxy: signal 9 (Killed)".
  std::vector<std::string> early_ends() const;
  /// keep_in copies logs, certificates and the guests' results and reports, never a secret, into the new or empty
  /// directory `folder`. The files of several guests are numbered.
  launch::Outcome<void> keep_in(const std::string& folder) const;

 private:
  launch::Outcome<std::string> start_part(const char* name, std::vector<std::string> args);
  launch::Outcome<std::string> run_simulator(const char* name, std::vector<std::string> args);
  launch::Outcome<void> start_machine();
  launch::Outcome<void> start_broker();
  launch::Outcome<void> start_proxy();
  launch::Outcome<launch::Child*> start_guest(unsigned guest);
  std::string file(std::string_view name) const { return scratch_.file(name); }
  std::string guest_file(std::string_view stem, unsigned guest, std::string_view extension = {}) const;

  Scenario scenario_;
  launch::ScratchDir scratch_;  // declared before the children: they end before it goes away
  Clock& clock_;
  launch::Children children_;
  Lines lines_;
  std::vector<Part> parts_;
  std::vector<launch::Child*> servers_, guests_;
  posix::Fd broker_port_;  // holds the port of a broker that is absent or silent
  std::string measurement_, broker_url_;
  std::chrono::nanoseconds guests_took_{};
};

}  // namespace attestbed::tools
