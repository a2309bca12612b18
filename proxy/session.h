// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/platform/transport.h"
#include "proxy/backend.h"
#include "proxy/session_log.h"

namespace attestbed::proxy {

/// SessionConfig is what every attempt is measured by.
///   resource        for guests that state none
///   allowed         what a guest may state; usually holds `resource`
///   budget          from an attempt's first octet to its answer
///   refusal_budget  beyond that, to tell the guest why it failed
struct SessionConfig {
  protocol::ResourcePath resource;
  std::vector<protocol::ResourcePath> allowed;
  std::chrono::nanoseconds budget = std::chrono::seconds(30);
  std::chrono::nanoseconds refusal_budget = std::chrono::seconds(2);
};

/// LineState is how an attempt leaves its line: `in_step` if every frame was read and written whole, so that another
/// attempt may follow; there is no way back into step inside a frame.
enum class LineState { in_step, lost };

/// serve_attempt carries one guest from its NegotiationRequest to its secret. Whatever fails after the first octet is
/// told to the guest in one error frame and to the log; nothing is thrown, and it returns within `budget` plus
/// `refusal_budget`, or soon after `cancelled`.
LineState serve_attempt(Transport& guest, BrokerSession& broker, const SessionConfig& config, Clock& clock,
                        const std::atomic<bool>& cancelled, SessionLog& log);

/// refusal_frame is the error frame of a phase with its length prefix, as it goes over the line; for refusals that need
/// no attempt. At most 512 octets.
std::vector<std::uint8_t> refusal_frame(Errc code, protocol::Phase phase, std::string_view detail);

}  // namespace attestbed::proxy
