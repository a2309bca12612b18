// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: brokers on loopback that the HTTP client talks to for real.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/posix/fd.h"
#include "proxy/vector_cases.h"

namespace attestbed::proxy {

/// HttpBroker is a KBS on cpp-httplib: a session per cookie, opened by /auth, attested by /attest, served by /resource
/// to the cookie or to the Bearer token. It answers with a recorded case; `answers` replaces single answers.
class HttpBroker {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers;
  };
  struct Request {
    std::string line, body;
    std::multimap<std::string, std::string> headers;
    std::string peer;  // the client's address and port
  };

  /// With https the certificate is for `localhost`, issued by proxy/testdata/tls/ca.pem; https_for_known also asks for
  /// one of the client's, issued by client-ca.pem beside it.
  enum class Scheme { http, https, https_for_known };
  explicit HttpBroker(const VectorCase& recorded, Scheme scheme = Scheme::http);
  ~HttpBroker();
  HttpBroker(const HttpBroker&) = delete;
  HttpBroker& operator=(const HttpBroker&) = delete;

  /// url is http://127.0.0.1:PORT or https://localhost:PORT.
  std::string url() const;
  /// answer replaces what `line` ("POST /kbs/v0/auth") gets.
  void answer(const std::string& line, Answer with);
  /// expire_sessions forgets every cookie, as the end of their lifetime does.
  void expire_sessions();
  std::vector<Request> requests() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

/// RawBroker accepts connections and writes the same octets to each, one `piece` at a time, whatever it is asked.
///   then_hold  keep the connection open after the last piece, until the broker dies
class RawBroker {
 public:
  enum class Then { close, hold };
  RawBroker(std::vector<std::string> pieces, Then then);
  ~RawBroker();
  RawBroker(const RawBroker&) = delete;
  RawBroker& operator=(const RawBroker&) = delete;
  std::string url() const;

 private:
  void serve();
  std::vector<std::string> pieces_;
  Then then_;
  posix::Fd listener_, stop_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace attestbed::proxy
