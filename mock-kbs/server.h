// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http-server/listen.h"
#include "mock-kbs/handlers.h"
#include "mock-kbs/tls.h"

namespace attestbed::http {
struct HttpLimits;
}

namespace attestbed::kbs {

using http::HttpLimits;
using http::ListenAddress;

/// Greeting is what happens to a connection before anything of it is read: `whole` serves it, `closed` and `reset` end
/// it.
///   fault  why, for the log
struct Greeting {
  Delivery::How how = Delivery::How::whole;
  std::string fault;
};

/// Service is what stands behind a server. All are called from any thread.
///   handle  answers a request
///   audit   takes one record for each request, and others for connections that came to none
///   greet   judges a connection; nobody is turned away without it
///   tls     HTTP over TLS with it, plain HTTP without
///   explain the body of an answer to what was never handed to `handle`, for its reason; without it there is none, as
///           Trustee has it
struct Service {
  std::function<Response(const Request&)> handle;
  std::function<void(const AuditRecord&)> audit;
  std::function<Greeting()> greet = {};
  std::shared_ptr<const TlsServer> tls = nullptr;
  std::function<std::string(const Refusal&)> explain = {};
};

/// Server puts a Service behind HTTP/1.1 on one listener. Every connection has a thread, a request deadline, caps on
/// head and body, and no way to disturb another.
class Server {
 public:
  /// start listens and accepts on a thread of its own. What `service` refers to outlives the server; connections above
  /// the cap make one record a second at most. Errors: io_failed if the address is not available.
  static Checked<std::unique_ptr<Server>> start(Service service, const ListenAddress& address,
                                                const HttpLimits& limits);
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
