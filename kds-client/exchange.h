// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>

#include "core/platform/clock.h"
#include "kds-client/request.h"

namespace attestbed::kds {

/// Answer is one complete HTTP answer, whatever its status.
struct Answer {
  long status = 0;
  std::vector<std::uint8_t> body;
  std::optional<std::chrono::seconds> retry_after;
};

/// Exchange is where and under which bounds one GET is made.
struct Exchange {
  std::string url;
  std::string ca_file;  // roots for https; empty: the system's
  std::size_t max_octets;
  std::chrono::milliseconds timeout;
  std::chrono::milliseconds connect_timeout;
};

/// get makes one GET over a connection of its own; it ends soon after `stopped` becomes true.
///   errors  kds_unreachable, kds_untrusted, kds_timeout; kds_malformed for an answer above max_octets or one that is
///   no HTTP; internal
Checked<Answer> get(const Exchange& exchange, const std::atomic<bool>& stopped);

/// retry_after_seconds reads the value of a Retry-After header that is a number of seconds (RFC 9110 section 10.2.3),
/// at most a day. None for anything else, also for a date: no KDS was seen to send one.
std::optional<std::chrono::seconds> retry_after_seconds(std::string_view value);

}  // namespace attestbed::kds
