// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http-server/listen.h"
#include "mock-kbs/handlers.h"

namespace attestbed::http {
struct HttpLimits;
}

namespace attestbed::kbs {

using http::HttpLimits;
using http::ListenAddress;

/// Server puts handle() behind HTTP/1.1 on one listener. Every connection has a thread, a request deadline, caps on
/// head and body, and no way to disturb another.
class Server {
 public:
  using AuditSink = std::function<void(const AuditRecord&)>;

  /// start listens and accepts on a thread of its own. `broker` and `audit` (called from any thread) outlive the
  /// server; connections above the cap make one record a second at most. Errors: io_failed if the address is not
  /// available.
  static Checked<std::unique_ptr<Server>> start(Broker& broker, const ListenAddress& address, const HttpLimits& limits,
                                                AuditSink audit);
  /// The destructor stops.
  ~Server();

  std::uint16_t port() const;
  /// ended_fd becomes readable if accepting ends although nobody called stop().
  int ended_fd() const;
  /// stop accepts no more, ends idle connections at once and gives those under way the drain time.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::kbs
