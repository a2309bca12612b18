// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tools/attestbed/run_scenario.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"

namespace attestbed::tools {

/// kPatience is how long a program may take to get ready, and to end by itself after its own deadline: generous, since
/// it bounds hangs and not work.
inline constexpr std::chrono::seconds kPatience{60};

/// Part is a program that was started and said it was ready.
struct Part {
  std::string name;
  std::string ready;  // its readiness line
  std::chrono::nanoseconds took{};
};

/// Parts are firmware, broker and proxy as real processes on private sockets in a scratch directory: what guests are
/// run against. The destructor ends every process and removes every file. The functions that start something are called
/// in the order in which they stand here.
class Parts {
 public:
  Parts(launch::ScratchDir scratch, Clock& clock, int stop_fd);

  /// make_certificates makes the simulated machine's, with the default seed's keys.
  launch::Outcome<void> make_certificates(const std::string& product);
  /// simulate runs snp-sim to its end and returns what it printed.
  launch::Outcome<std::string> simulate(const char* name, std::vector<std::string> args);
  /// start_firmware starts `snp-sim serve`, for guests that are launched with `launch_flags`; returns their launch
  /// digest.
  launch::Outcome<std::string> start_firmware(const Inputs& inputs, std::vector<std::string> launch_flags);
  /// start_broker starts mock-kbs, which knows that one launch digest, or what stands in for it.
  launch::Outcome<void> start_broker(const Scenario& scenario, const std::string& measurement);
  /// start_proxy starts attest-proxy with these doors and returns its process.
  launch::Outcome<pid_t> start_proxy(const Scenario& scenario, std::vector<std::string> door_flags);
  /// stop ends all processes, so that their logs are complete.
  void stop() { children_.end_all(); }

  const std::vector<Part>& ready() const { return ready_; }
  std::string firmware_socket() const { return file("firmware.sock"); }
  std::string file(std::string_view name) const { return scratch_.file(name); }
  const launch::ScratchDir& scratch() const { return scratch_; }
  launch::Children& children() { return children_; }
  const launch::Children& children() const { return children_; }
  /// log is the standard error of the program, complete once stop() was called.
  std::string log(std::string_view program) const;
  /// early_ends names the parts that ended before stop(), and how: "attest-proxy: signal 9 (Killed)".
  std::vector<std::string> early_ends() const;
  /// keep_in copies the logs of all processes and the certificates into the new or empty directory `folder`; of a guest
  /// also what it printed. Never a secret.
  launch::Outcome<void> keep_in(const std::string& folder) const;

 private:
  launch::Outcome<std::string> start_part(const char* name, std::vector<std::string> args);
  launch::Outcome<std::string> run_to_end(const char* name, const char* program, std::vector<std::string> args);

  launch::ScratchDir scratch_;  // declared before the children: they end before it goes away
  Clock& clock_;
  launch::Children children_;
  std::vector<Part> ready_;
  std::vector<launch::Child*> servers_;
  posix::Fd broker_port_;  // holds the port of a broker that is absent or silent
  std::string broker_url_;
};

/// keep_file writes `text` to a new file of mode 0600 in `folder`.
launch::Outcome<void> keep_file(const std::string& folder, const std::string& name, const std::string& text);

/// read_if_there is the file's content; nothing if there is no such file, or a larger one.
std::optional<std::string> read_if_there(const std::string& path, std::size_t max);

}  // namespace attestbed::tools
