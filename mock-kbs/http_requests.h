// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http-server/http_stream.h"
#include "mock-kbs/server.h"

namespace attestbed::kbs {

/// HttpRequests answers the requests of connections: cpp-httplib parses and routes; sockets, threads and bounds are
/// ours. serve() gives the library a stream as the library itself does it with TLS; its own listening and accepting are
/// never used.
class HttpRequests final : public httplib::Server {
 public:
  /// `refuse` closes the listener for a while. Everything outlives the object.
  HttpRequests(const Service& service, const HttpLimits& limits, int stop_fd,
               std::function<void(std::chrono::milliseconds)> refuse);

  /// serve answers the requests of one connection. Memory may run out wherever the library parses: that ends this
  /// connection and no other.
  void serve(posix::Fd socket) noexcept;

 private:
  void serve_requests(posix::Fd socket);
  bool deliver(http::HttpStream& stream);
  void audit_problem(const http::HttpStream& stream);
  void answer(const Response& response, httplib::Response& into);
  void refuse(Response response, httplib::Response& into);
  HandlerResponse before_body(const httplib::Request& request, httplib::Response& response);
  void read_body(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader);
  void audit_unparsed(const httplib::Request& request, const httplib::Response& response);

  const Service& service_;
  const HttpLimits& limits_;
  const int stop_fd_;
  const std::function<void(std::chrono::milliseconds)> refuse_;
};

}  // namespace attestbed::kbs
