// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/attestbed/run_lines.h"
#include "tools/attestbed/run_parts.h"
#include "tools/attestbed/run_scenario.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"

namespace attestbed::tools {

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

/// GuestsSoFar is how far the guests of a run are.
///   ended  how many have ended
///   words  what the only guest of a run has written to standard error until now; empty if there are several
struct GuestsSoFar {
  std::size_t ended = 0;
  std::string_view words{};
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
  ///   tell  hears how far they are, whenever something happened
  launch::Outcome<std::vector<GuestOutput>> run_guests(const std::function<void(const GuestsSoFar&)>& tell);
  /// stop ends all parts, so that their logs are complete.
  void stop();

  const std::vector<Part>& parts() const { return parts_.ready(); }
  /// measurement is the launch digest that the broker knows.
  const std::string& measurement() const { return measurement_; }
  /// guests_took is the time from the start of the first guest to the end of the last.
  std::chrono::nanoseconds guests_took() const { return guests_took_; }
  /// log is the standard error of the program, complete once stop() was called; "relay" is the man in the middle.
  std::string log(std::string_view program) const;
  /// host_attestation is the id that proxy and broker have for the attestation whose line has a man in the middle.
  std::string host_attestation() const { return lines_.host_attestation(); }
  std::vector<std::string> early_ends() const { return parts_.early_ends(); }
  /// keep_in copies logs, certificates and the guests' results and reports, never a secret, into the new or empty
  /// directory `folder`. The files of several guests are numbered.
  launch::Outcome<void> keep_in(const std::string& folder) const;

 private:
  launch::Outcome<void> start_machine();
  launch::Outcome<launch::Child*> start_guest(unsigned guest);
  std::string guest_file(std::string_view stem, unsigned guest, std::string_view extension = {}) const;

  Scenario scenario_;
  Clock& clock_;
  Parts parts_;
  Lines lines_;
  std::vector<launch::Child*> guests_;
  std::string measurement_;
  std::chrono::nanoseconds guests_took_{};
};

}  // namespace attestbed::tools
