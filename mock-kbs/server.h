// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

struct HttpLimits;

/// ListenAddress is a numeric address and a port, `127.0.0.1:8080` or `[::1]:8080`; port 0 lets the system choose.
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  bool loopback = true;

  /// parse takes no names, so that nothing but the text decides where the broker can be reached. Errors: bad_config.
  static Checked<ListenAddress> parse(std::string_view text);
  /// authority is host and `port_in_use` as a URL has them.
  std::string authority(std::uint16_t port_in_use) const;
};

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
