// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mock-kbs/audit_log.h"
#include "mock-kbs/delivery.h"
#include "mock-kbs/judge_evidence.h"
#include "mock-kbs/token.h"
#include "mock-kbs/wall_clock.h"

// The broker without HTTP: a request as a value in, a response as a value out. Statuses, variants and bodies are
// Trustee's (its kbs/src/api_server.rs and error.rs); why something was refused stands in the audit record alone.
namespace attestbed::kbs {

inline constexpr std::size_t kMaxBodyBytes = 2 * 1024 * 1024;

/// Request is what the handlers look at. `target` is the request target as it was sent, undecoded; several Cookie or
/// Authorization headers arrive joined by "; ".
struct Request {
  std::string method{};
  std::string target{};
  std::string body{};
  std::string cookies{};
  std::string authorization{};
  std::string peer{};
};

/// SealedSecret is a resource on its way to the key that attested for it.
struct SealedSecret {
  protocol::GuestPublicKey key;
  std::shared_ptr<const SecretOctets> secret;
};

/// Response is what a peer gets, and what the broker's log says of it.
///   headers   others than the two that have a member of their own
///   sealed    of a resource: what is inside, and for whom
///   delivery  how it gets there
struct Response {
  int status = 200;
  std::string body;
  std::string content_type;
  std::string set_cookie;
  std::vector<std::pair<std::string, std::string>> headers;
  AuditRecord audit;
  std::optional<SealedSecret> sealed;
  Delivery delivery;
};

/// Broker is the state behind the handlers. Every reference outlives it.
struct Broker {
  BrokerState& state;
  const EvidenceJudge& judge;
  SessionTable& sessions;
  const TokenIssuer& tokens;
  Entropy& entropy;
  WallClock& wall_clock;
};

/// handle finds the endpoint and calls its function. Unknown plugins and GET on auth and attest: 404 PluginNotFound;
/// methods other than GET, POST, PUT, DELETE: 405; paths outside /kbs/v0 and /healthz: 404. Never throws.
Response handle(Broker& broker, const Request& request);

/// POST /kbs/v0/auth: a challenge and a session cookie, or 401 AttestationError that names the cause, or 503 while the
/// session table is full.
Response handle_auth(Broker& broker, const Request& request);

/// POST /kbs/v0/attest: a token for evidence that passes every layer, or 401 AttestationError with one fixed detail.
/// The session's nonce is spent by the first attempt that reads as an attestation, whatever becomes of it.
Response handle_attest(Broker& broker, const Request& request);

/// GET /kbs/v0/resource/{repository}/{type}/{tag}: the secret, sealed to the key that attested. Who may have it says
/// the session of the cookie or else the Bearer token.
Response handle_resource(Broker& broker, const Request& request, std::string_view path);

/// refuse_body answers a request whose body is above kMaxBodyBytes: 413. `size` is what was announced or read.
Response refuse_body(const Request& request, std::uint64_t size);

/// refuse_encoding answers a request whose body is compressed or a multipart form: 415.
Response refuse_encoding(const Request& request);

}  // namespace attestbed::kbs
