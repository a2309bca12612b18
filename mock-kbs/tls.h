// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "http-server/channel.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// TlsFiles is what a server under TLS shows and asks for, as PEM files.
///   certificate  its own, then intermediates
///   key          the private key of it
///   client_ca    roots under one of which a client's certificate must be; empty: clients need none
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

/// TlsServer is the server's half of TLS 1.2 and 1.3 (RFC 5246, RFC 8446): no compression, no renegotiation, no
/// resumption, so a connection depends on nothing before it. Immutable once made; threads may share it.
class TlsServer {
 public:
  /// load reads the files. Errors: bad_config with the file, what it should be and OpenSSL's reason.
  static Checked<std::unique_ptr<TlsServer>> load(const TlsFiles& files);
  ~TlsServer();

  /// channel is the server's end of one connection on `socket`; the handshake comes with the first octets.
  std::unique_ptr<http::Channel> channel(int socket) const;

 private:
  struct Impl;
  explicit TlsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::kbs
