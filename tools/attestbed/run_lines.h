// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/attestbed/run_pty.h"
#include "tools/attestbed/run_relay.h"
#include "tools/launch/scratch_dir.h"

namespace attestbed::tools {

/// kVsockPort is the proxy's port on the host's vsock.
inline constexpr std::uint32_t kVsockPort = 1995;

/// Lines is what runs between the guests and the proxy: sockets or serial cables, and the man in the middle where the
/// scenario has one (then there is one guest). A further type of line is a case in each function of run_lines.cpp.
class Lines {
 public:
  Lines(LineType type, Tamper tamper, unsigned guests) : type_(type), tamper_(tamper), guests_(guests) {}

  /// prepare makes what must be there before the proxy starts. `folder` outlives this object.
  launch::Outcome<void> prepare(const launch::ScratchDir& folder);
  /// connect makes the rest, once the proxy is ready.
  ///   proxy  its process, not waited for yet
  ///   until  ends everything that runs here
  launch::Outcome<void> connect(pid_t proxy, Clock& clock, Deadline until);

  std::vector<std::string> proxy_flags() const;
  /// socket is what a guest, or QEMU for it, connects to.
  const std::string& socket() const { return relay_ ? relay_socket_ : proxy_socket_; }
  /// guest_flags are those of the guest with this index, from 0.
  std::vector<std::string> guest_flags(unsigned guest) const;

  /// peer is what the proxy's log calls the guest whose process is `pid`: "pid 1" (then " uid 0"), "/dev/pts/1".
  std::string peer(unsigned guest, pid_t pid) const;

  /// stop ends relay and cables; then their words are complete.
  void stop();
  std::string relay_log() const { return relay_ ? relay_->log() : std::string(); }
  std::string host_attestation() const { return relay_ ? relay_->host_attestation() : std::string(); }

 private:
  launch::Outcome<void> prepare_ptys();
  launch::Outcome<void> connect_ptys(Clock& clock, Deadline until);

  LineType type_;
  Tamper tamper_;
  unsigned guests_;
  std::string proxy_socket_, relay_socket_;
  std::vector<Pty> guest_ends_, proxy_ends_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Cable> cable_;
};

}  // namespace attestbed::tools
