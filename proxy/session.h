// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/platform/transport.h"
#include "core/protocol/frame.h"
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

/// LineRules is what an attempt must know of its line.
///   kind          serial: a NegotiationRequest in place of the AttestationRequest begins the attempt anew
///   start         serial: the first frame's beginning, which whoever starts the attempt has read
///   take_attempt  serial: takes an attempt from the peer's budget, for one that begins anew. For the first, whoever
///                 starts it has done so
///   open_broker   serial: another session at the broker, for a NegotiationRequest that is not the one being served
struct LineRules {
  LineKind kind = LineKind::connected;
  protocol::FrameStart start{};
  std::function<bool()> take_attempt = [] { return true; };
  std::function<std::unique_ptr<BrokerSession>()> open_broker = [] { return nullptr; };
};

/// serve_attempt carries one guest from its NegotiationRequest to its secret. Whatever fails after the first octet is
/// told to the guest in one error frame and to the log; nothing is thrown, and it returns within `budget` plus
/// `refusal_budget`, or soon after `cancelled`. On a serial line each attempt that begins anew has a budget of its own.
LineState serve_attempt(Transport& guest, BrokerSession& broker, const SessionConfig& config, Clock& clock,
                        const std::atomic<bool>& cancelled, SessionLog& log, const LineRules& rules = {});

}  // namespace attestbed::proxy
