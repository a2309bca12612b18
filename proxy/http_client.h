// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "core/platform/clock.h"
#include "proxy/backend.h"
#include "proxy/failure.h"

namespace attestbed::proxy {

/// HttpLimits bound one exchange; the deadline comes with each call.
struct HttpLimits {
  std::size_t max_body_bytes = 256 * 1024;
  std::size_t max_header_bytes = 32 * 1024;
  std::chrono::milliseconds connect{5000};  // or what is left of the deadline, if that is less
};

/// HttpRequest is a POST of `body` as application/json, or a GET without one.
///   bearer      sent as `Authorization: Bearer …` unless empty; visible ASCII
///   connection  whether the connection may serve the next request of this client
struct HttpRequest {
  enum class Connection { keep, close };
  std::string url;
  std::optional<std::string> body;
  std::string bearer;
  Connection connection = Connection::close;
};

struct HttpReply {
  long status = 0;
  std::string body;
};

/// TlsUse is what this proxy's configuration says of TLS.
///   https              the broker's URL is https
///   own_roots          --ca names the roots
///   shows_certificate  --client-cert is given
struct TlsUse {
  bool https = false, own_roots = false, shows_certificate = false;
};

/// HttpClient is one session's HTTP state: its connection and its cookies, shared with nobody. It follows no redirect,
/// asks for no compression, uses no proxy, no .netrc and no environment variable, speaks http and https alone and
/// verifies https.
class HttpClient {
 public:
  HttpClient(const BrokerConfig& config, const HttpLimits& limits, Clock& clock, const std::atomic<bool>& cancelled);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// send makes one exchange and returns any complete answer, whatever its status. A POST leaves once at most.
  ///   errors  broker_unreachable, broker_timeout, broker_malformed, proxy_stopping, proxy_internal; body above the
  ///           limit: too_large, for the caller to translate
  Outcome<HttpReply> send(const HttpRequest& request, Deadline until);

  const BrokerTraffic& last_call() const { return traffic_; }
  /// cookie returns the value of the first cookie of this name, empty if there is none.
  std::string cookie(std::string_view name) const;
  /// cookie_lifetime is how long from now its server wants that cookie kept (Max-Age or Expires); none if it does not
  /// say, or there is no such cookie.
  std::optional<std::chrono::seconds> cookie_lifetime(std::string_view name) const;
  void forget_cookies();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  HttpLimits limits_;
  Clock& clock_;
  TlsUse tls_;
  BrokerTraffic traffic_;
};

}  // namespace attestbed::proxy
