// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/platform/clock.h"
#include "core/protocol/attestation.h"
#include "proxy/failure.h"

namespace attestbed::proxy {

/// SealedSecret is a resource as the broker encrypted it to the guest's key: a flattened JWE (RFC 7516 section 7.2.2),
/// decoded. The proxy can open nothing of it.
///   protected_header  the ASCII of `protected`, verbatim: it is the AAD, so it is never rebuilt
///   epk               the broker's ephemeral point; absent if the secret is sealed to an RSA key
///   ciphertext        at most 32 KiB
struct SealedSecret {
  std::string protected_header;
  std::optional<crypto::EcPoint> epk;
  protocol::WrappedCek wrapped_cek;
  crypto::GcmIv iv{};
  crypto::GcmTag tag{};
  std::vector<std::uint8_t> ciphertext;
};

/// BrokerTraffic is what crossed the border to the broker in one call, for the log.
///   status  HTTP status, 0 if no answer came
///   left    whether any octet of the request may have left: false is proof that the broker has seen nothing of it
///   peer    this end of the connection, "127.0.0.1:40000": what the broker's log may call us; empty if there was none
struct BrokerTraffic {
  long status = 0;
  bool left = false;
  std::size_t octets_sent = 0, octets_received = 0;
  std::chrono::nanoseconds took{};
  std::string peer{};
};

/// BrokerSession is one attempt's conversation with the broker: its cookie, its nonce, its connection. Calls are made
/// in the order below, each at most once and from one thread; each returns by `until`, or soon after `cancelled`.
class BrokerSession {
 public:
  virtual ~BrokerSession() = default;

  /// auth opens a session at the broker and yields its nonce, decoded.
  ///   errors  broker_unreachable, broker_timeout, broker_unavailable, broker_version, broker_nonce, broker_malformed,
  ///           proxy_stopping
  virtual Outcome<protocol::Challenge> auth(protocol::Tee tee, Deadline until) = 0;
  /// attest hands the guest's evidence over, in the form that brokers of `binding` read, and yields the broker's token.
  /// It is never sent twice, unless the first time provably no octet left.
  ///   errors  malformed_request (a report that this form cannot hold), attestation_refused, session_expired, the
  ///           broker_* codes, proxy_stopping
  virtual Outcome<std::string> attest(const protocol::AttestationRequest& request, protocol::Binding binding,
                                      Deadline until) = 0;
  /// resource fetches the secret at `path`, sealed to the key that was attested.
  ///   errors  secret_refused, secret_too_large, session_expired, the broker_* codes, proxy_stopping
  virtual Outcome<SealedSecret> resource(const protocol::ResourcePath& path, Deadline until) = 0;

  /// last_call describes the latest call, whether it succeeded or not.
  virtual BrokerTraffic last_call() const = 0;
  /// label is the same for every call of this session and for no other, and discloses nothing: the first 16 hex digits
  /// of the SHA-256 of the session cookie, as the broker logs it; empty if there is none.
  virtual std::string label() const = 0;
};

/// Backend is a broker protocol, configured: it opens one BrokerSession per attempt, from any thread.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::unique_ptr<BrokerSession> open(const std::atomic<bool>& cancelled) = 0;
};

/// BrokerConfig is what every protocol needs to know about its broker.
///   url      scheme://host[:port][/path] without a trailing slash, as http::parse_service_url returns it
///   ca_file            PEM roots that https is verified against; empty = the system's
///   client_certificate, client_key
///                      PEM files, both or none: what this proxy shows to a broker that asks who it is
///   certs_directory    certificates for guests that bring none (HostCertificates::load); empty = there are none
struct BrokerConfig {
  std::string url;
  std::string ca_file{};
  std::string client_certificate{}, client_key{};
  std::string certs_directory{};
};

/// BackendKind is a protocol by name, as `--protocol` takes it. A new one is a file that defines its `make`, and a line
/// in backends.cpp. `make` fails with bad_config if the configuration cannot serve; the failure's detail says what of
/// it, for people.
struct BackendKind {
  const char* name;
  Outcome<std::unique_ptr<Backend>> (*make)(const BrokerConfig& config, Clock& clock);
};
std::span<const BackendKind> backend_kinds();
const BackendKind* backend_named(std::string_view name);

}  // namespace attestbed::proxy
