// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/posix/fd_transport.h"
#include "tools/attestbed/run_tamper.h"
#include "tools/launch/failure.h"

namespace attestbed::tools {

/// Relay is the man in the middle: one line of a guest, frame by frame, to the proxy and back, with one frame changed
/// on its way. It knows frames and JSON, no secret and no key of either side, so it can do what any host can. It serves
/// one line on a thread of its own and ends when that line does, at its deadline, or in stop().
class Relay {
 public:
  /// Ends are the two halves of the line that the relay sits in.
  struct Ends {
    posix::Fd guest, host;
  };
  /// Plan is what the relay does.
  ///   open    gets the two ends; called on the relay's thread. It must return by the deadline, and soon after
  ///           `stop_fd` became readable
  ///   victim  pidfd of the program that Tamper::kill_proxy kills, before the guest gets its first answer
  ///   until   ends everything
  struct Plan {
    Tamper tamper = Tamper::nothing;
    std::function<Result<Ends>(Clock& clock, int stop_fd, Deadline until)> open;
    posix::Fd victim;
    Deadline until;
  };

  static launch::Outcome<std::unique_ptr<Relay>> start(Plan plan, Clock& clock);
  ~Relay() { stop(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// stop ends the line and the thread; after it log() is complete.
  void stop();

  /// log is what the relay did, one JSON object a line, as the programs log: {program, event, attestation, …}. `event`
  /// is "changed" or "killed" (the intended), or "ended" (why the line is over). `attestation` is the id at proxy and
  /// broker; `guest_attestation` is there if the guest's differs, because its challenge was changed: null if the guest
  /// cannot take that challenge at all. Only after stop().
  const std::string& log() const { return log_; }
  /// host_attestation is that id; empty if no challenge passed. Only after stop().
  const std::string& host_attestation() const { return host_attestation_; }

 private:
  Relay(Plan plan, Clock& clock, posix::Fd stop_fd);
  void serve();
  Status relay(posix::FdTransport& guest, posix::FdTransport& host);
  Status pass(Sender from, posix::FdTransport& source, posix::FdTransport& sink);
  Status kill_and_wait();
  void note(const char* event, const nlohmann::ordered_json& fields);

  Plan plan_;
  Clock& clock_;
  posix::Fd stop_fd_;
  std::vector<std::uint8_t> frame_;
  bool done_ = false;
  std::string log_, host_attestation_;
  std::thread thread_;  // last: it uses everything above
};

/// accept_and_connect makes Plan::open for unix sockets: takes the first guest that connects to `listener`, then
/// connects to `proxy_path`.
std::function<Result<Relay::Ends>(Clock&, int, Deadline)> accept_and_connect(posix::Fd listener,
                                                                             std::string proxy_path);

}  // namespace attestbed::tools
