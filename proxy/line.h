// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/posix/fd_transport.h"
#include "core/protocol/frame.h"
#include "proxy/listener.h"
#include "proxy/peers.h"

namespace attestbed::proxy {

/// Line is one open line to a guest, whoever holds it at the moment: the poll loop while it is idle, a worker while an
/// attempt runs.
///   name  who is at the other end, for logs
///   door  the listener that it came from; null once that is shut
///   search, search_until, start  serial, between attempts: where its next frame begins, when octets that are none are
///         dropped, and what was found, for the session
struct Line {
  std::unique_ptr<posix::FdTransport> wire;
  std::string name;
  std::shared_ptr<Peer> peer;
  LineKind kind = LineKind::connected;
  Lives lives = Lives::opened;
  AfterAnswer after_answer = AfterAnswer::keep;
  Listener* door = nullptr;
  unsigned attempts = 0;
  Instant idle_since{};
  protocol::FrameSearch search{};
  Deadline search_until = kNever;
  protocol::FrameStart start{};
};

}  // namespace attestbed::proxy
