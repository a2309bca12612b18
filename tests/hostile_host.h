// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/posix/clock.h"
#include "core/posix/fd.h"

namespace attestbed::programs {

/// HostCase is a host that answers what it likes, and how a guest has to end. The answers are texts, not our encoder's
/// work.
///   answers  one after each frame of the guest's
///   then     what it does after the last
///   exit     the guest's, with this code
struct HostCase {
  enum class Then { close, silence, trickle };

  const char* name;
  std::vector<std::string> answers;
  Then then;
  int exit;
  const char* code;

  /// runs_out is true where only time ends the guest.
  bool runs_out() const { return std::string_view(code) == "deadline"; }
};
void PrintTo(const HostCase& one, std::ostream* out);

const std::vector<HostCase>& host_cases();

/// Host plays one case to one guest, in a thread of its own, until the guest leaves or the host is destroyed.
class Host {
 public:
  /// Over a socket that listens at `path`, or over the controlling side of a terminal.
  Host(const std::string& path, const HostCase& how);
  Host(posix::Fd line, const HostCase& how);
  bool ready() const { return thread_.joinable(); }

 private:
  void serve_at(const posix::Fd& listener, const HostCase& how, const std::stop_token& stop);
  void serve(posix::Fd line, const HostCase& how, const std::stop_token& stop);

  posix::SteadyClock clock_;
  std::jthread thread_;
};

}  // namespace attestbed::programs
