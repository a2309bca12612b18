// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/handlers.h"

#include <algorithm>
#include <exception>

#include "core/protocol/resource_path.h"
#include "mock-kbs/http_text.h"
#include "mock-kbs/jwe_seal.h"
#include "mock-kbs/tee_pubkey.h"

namespace attestbed::kbs {
namespace {

constexpr std::string_view kPrefix = "/kbs/v0/";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kAttestDetail = "attestation failed: the broker's log says why";

Response start(const Request& request, std::string endpoint) {
  Response response;
  response.audit.peer = request.peer;
  response.audit.endpoint = std::move(endpoint);
  response.audit.status = response.status;
  return response;
}

Response finish(Response response, int status, std::string body, std::string_view content_type = {}) {
  response.status = status;
  response.body = std::move(body);
  response.content_type = content_type;
  response.audit.status = status;
  return response;
}

Response refuse(Response response, int status, std::string_view variant, std::string_view detail, Refusal why) {
  response.audit.refusal = std::move(why);
  return finish(std::move(response), status, variant.empty() ? "" : encode_problem(variant, detail));
}

Checked<std::string> session_cookie(const Request& request) {
  return find_cookie(request.cookies, "kbs-session-id", 32);
}

void describe(const Accepted& accepted, AuditRecord& audit) {
  audit.trust = tier_name(accepted.appraisal.status());
  if (accepted.report) audit.report_id = verify::hex_text(accepted.report->report().report_id);
  if (!accepted.entry) return;
  audit.entry = accepted.entry->name;
  audit.binding = protocol::binding_name(accepted.entry->binding);
  audit.w1_exposed = accepted.entry->w1_exposed;
}

Checked<crypto::Sha256Digest> judged_by_of(const Accepted& accepted) {
  if (accepted.entry) return accepted.entry->judged_by();
  return crypto::Sha256Digest{};
}

// What handle_attest does after the session was found; the refusal goes to the log, one fixed text to the peer.
Checked<std::string> attest(Broker& broker, const std::string& cookie, Tee tee, const AttestRequest& attestation,
                            AuditRecord& audit) {
  const std::optional<std::string> again = TRY(broker.sessions.token_again(cookie));
  if (again) return *again;
  const verify::Time now = broker.wall_clock.now();
  const protocol::Challenge challenge = TRY(broker.sessions.spend_nonce(cookie, attestation.nonce));
  if (tee_of(attestation.evidence.kind) != tee) {
    return Refusal{Errc::evidence_shape, "tee-evidence.primary_evidence",
                   std::string("evidence of tee ") + tee_name(tee) + ", as /auth was told",
                   evidence_name(attestation.evidence.kind)};
  }
  const std::shared_ptr<const BrokerValues> values = broker.state.now();
  const Judgement judgement = broker.judge.judge(attestation, challenge, values->reference, now);
  if (judgement.measurement) audit.measurement = verify::hex_text(*judgement.measurement);
  if (!judgement.outcome) {
    audit.layer = layer_name(judgement.layer);
    return judgement.outcome.error();
  }
  const Accepted& accepted = *judgement.outcome;
  describe(accepted, audit);
  const Claims claims{.accepted = accepted, .key = attestation.key, .challenge = challenge};
  const std::string token = TRY(broker.tokens.issue(claims, now));
  const protocol::AttestationId id = TRY(checked(protocol::attestation_id(challenge)));
  const crypto::Sha256Digest judged_by = TRY(judged_by_of(accepted));
  const Grant grant{.tee = tee,
                    .status = accepted.appraisal.status(),
                    .measurement = judgement.measurement.value_or(snp::Measurement{}),
                    .judged_by = judged_by,
                    .key = attestation.key,
                    .attestation = id};
  TRY(broker.sessions.admit(cookie, grant, token));
  return token;
}

// Whoever shows a session cookie is judged by it; a Bearer token counts where there is no attested session. A request
// with neither has no verdict of its own: its refusal is the cookie's.
Checked<Grant> find_grant(Broker& broker, const Request& request, AuditRecord& audit) {
  const Checked<std::string> cookie = session_cookie(request);
  Refusal no_session = cookie ? Refusal{} : cookie.error();
  if (cookie) {
    audit.session = digest_prefix(*cookie);
    const Checked<SessionTable::Facts> facts = broker.sessions.facts(*cookie);
    if (facts) audit.attestation = facts->attestation.text();
    Checked<Grant> grant = broker.sessions.grant(*cookie);
    if (grant) return grant;
    no_session = grant.error();
  }
  const std::string_view token = bearer_token(request.authorization);
  if (token.empty()) return no_session;
  return broker.tokens.check(token, broker.wall_clock.now());
}

// An entry's own resource comes before a shared one of the same path.
std::shared_ptr<const SecretOctets> find_secret(const ReferenceEntry* entry, const SharedResources& shared,
                                                std::string_view path) {
  if (entry != nullptr) {
    const auto own = entry->resources.find(path);
    if (own != entry->resources.end()) return own->second;
  }
  const auto at = shared.find(path);
  return at == shared.end() ? nullptr : at->second;
}

// The entry of the grant's measurement, if the guest would be judged by it today as it was: what its owner changed
// since then must not go to a guest that was never asked for it.
Checked<std::shared_ptr<const ReferenceEntry>> find_entry(const Grant& grant, const ReferenceValues& reference) {
  std::shared_ptr<const ReferenceEntry> entry = reference.find(grant.measurement);
  if (!entry) return entry;
  const crypto::Sha256Digest judges_by = TRY(entry->judged_by());
  if (judges_by != grant.judged_by) entry.reset();
  return entry;
}

// Resources are changed on the admin API's own listener; here, whoever would is refused as Trustee refuses a stranger.
Response refuse_admin(Response response) {
  return refuse(std::move(response), 401, "AdminAuthInitialization", "resources are changed on the admin listener",
                {Errc::bad_value, "method", "GET", "an admin request"});
}

Response route_plugin(Broker& broker, const Request& request, std::string_view path) {
  const std::string_view plugin = path.substr(0, path.find('/'));
  if (request.method == "POST" && path == "auth") return handle_auth(broker, request);
  if (request.method == "POST" && path == "attest") return handle_attest(broker, request);
  const std::string endpoint = request.method + " " + verify::printable(path, 200);
  if (plugin == "resource") {
    if (request.method != "GET") return refuse_admin(start(request, endpoint));
    const std::size_t slash = path.find('/');
    return handle_resource(broker, request, slash == std::string_view::npos ? "" : path.substr(slash + 1));
  }
  return refuse(start(request, endpoint), 404, "PluginNotFound", "no such plugin",
                {Errc::bad_value, "path", "POST auth, POST attest, GET resource/...", endpoint});
}

Response route(Broker& broker, const Request& request) {
  constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "DELETE"};
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (std::ranges::find(kMethods, request.method) == std::end(kMethods)) {
    const std::string method = verify::printable(request.method, 16);
    return refuse(start(request, method), 405, "", "", {Errc::bad_value, "method", "GET, POST, PUT or DELETE", method});
  }
  if (path == "/healthz" && request.method == "GET") return finish(start(request, "GET healthz"), 200, "");
  if (path == "/.well-known/jwks.json" && request.method == "GET") {
    return finish(start(request, "GET jwks"), 200, broker.tokens.key_set(), kJson);
  }
  if (path.starts_with(kPrefix)) return route_plugin(broker, request, path.substr(kPrefix.size()));
  const std::string endpoint = request.method + " " + verify::printable(path, 200);
  return refuse(start(request, endpoint), 404, "", "",
                {Errc::bad_value, "path", "/kbs/v0/..., /healthz, /metrics or /.well-known/jwks.json", endpoint});
}

}  // namespace

Response handle(Broker& broker, const Request& request) {
  // Only memory can run out below; whatever it is, it ends this request and no other.
  try {
    return route(broker, request);
  } catch (const std::exception&) {
    return refuse({}, 500, "", "", {Errc::internal, "handler", "no exception", "one"});
  }
}

Response handle_auth(Broker& broker, const Request& request) {
  Response response = start(request, "POST auth");
  const Checked<Tee> tee = decode_auth_request(request.body);
  if (!tee) {
    response.audit.refusal = tee.error();
    return finish(std::move(response), 401, encode_refusal("AttestationError", tee.error()));
  }
  response.audit.tee = tee_name(*tee);
  const Checked<SessionTable::Opened> session = broker.sessions.open(*tee, broker.wall_clock.now());
  if (!session && session.error().code == Errc::broker_unavailable) {
    return refuse(std::move(response), 503, "", "", session.error());
  }
  if (!session) return refuse(std::move(response), 401, "AttestationError", "no session", session.error());
  response.audit.attestation = session->facts.attestation.text();
  response.audit.session = digest_prefix(session->cookie);
  response.set_cookie = session_cookie_text(session->cookie, session->facts.expires);
  return finish(std::move(response), 200, encode_challenge(session->nonce), kJson);
}

Response handle_attest(Broker& broker, const Request& request) {
  Response response = start(request, "POST attest");
  const auto refused = [&response](const Refusal& why) {
    return refuse(std::move(response), 401, "AttestationError", kAttestDetail, why);
  };
  const Checked<std::string> cookie = session_cookie(request);
  if (!cookie) return refused(cookie.error());
  response.audit.session = digest_prefix(*cookie);
  const Checked<SessionTable::Facts> facts = broker.sessions.facts(*cookie);
  if (facts) {
    response.audit.attestation = facts->attestation.text();
    response.audit.tee = tee_name(facts->tee);
  }
  const Checked<AttestRequest> attestation = decode_attest_request(request.body);
  if (!attestation) {
    response.audit.layer = layer_name(Layer::parse);
    return refused(attestation.error());
  }
  response.audit.key = thumbprint(attestation->key);
  response.audit.evidence = evidence_name(attestation->evidence.kind);
  if (!facts) return refused(facts.error());
  const Checked<std::string> token = attest(broker, *cookie, facts->tee, *attestation, response.audit);
  if (!token) return refused(token.error());
  response.set_cookie = session_cookie_text(*cookie, facts->expires);
  return finish(std::move(response), 200, encode_token(*token), kJson);
}

Response handle_resource(Broker& broker, const Request& request, std::string_view path) {
  Response response = start(request, "GET resource");
  response.audit.resource = verify::printable(path, protocol::kMaxResourcePathBytes);
  const Checked<Grant> grant = find_grant(broker, request, response.audit);
  if (!grant) {
    const bool token_shown = grant.error().code == Errc::token_invalid || grant.error().code == Errc::token_expired;
    return refuse(std::move(response), 401, token_shown ? "TokenVerifierError" : "TokenNotFound",
                  token_shown ? "the token was refused" : "no attested session and no token", grant.error());
  }
  response.audit.attestation = grant->attestation.text();
  response.audit.tee = tee_name(grant->tee);
  response.audit.trust = tier_name(grant->status);
  response.audit.key = thumbprint(grant->key);
  const std::shared_ptr<const BrokerValues> values = broker.state.now();
  std::shared_ptr<const ReferenceEntry> entry;
  if (grant->tee == Tee::snp) {
    response.audit.measurement = verify::hex_text(grant->measurement);
    const auto found = find_entry(*grant, values->reference);
    if (!found) return refuse(std::move(response), 500, "", "", found.error());
    entry = *found;
  }
  if (entry) {
    response.audit.entry = entry->name;
    response.audit.w1_exposed = entry->w1_exposed;
  }
  const ResourcePolicy::Decision decision =
      values->policy.decide({.path = path, .tee = grant->tee, .status = grant->status, .entry = response.audit.entry});
  response.audit.rule = decision.rule;
  if (!decision.allowed) {
    return refuse(std::move(response), 401, "PolicyDeny", "the resource policy denies it",
                  {Errc::resource_refused, "resource", "a rule that allows it", decision.rule});
  }
  const auto unknown = [&response](Errc code, const char* expected) {
    Refusal why{code, "resource", expected, response.audit.resource};
    return refuse(std::move(response), 401, "PluginInternalError", "no such resource", std::move(why));
  };
  const Result<protocol::ResourcePath> resource = protocol::ResourcePath::parse(path, "resource");
  if (!resource) return unknown(resource.error().code, "repository/type/tag");
  if (grant->tee == Tee::snp && !entry) {
    return unknown(Errc::measurement_unknown, "the entry that the guest was judged by, as it was then");
  }
  const std::shared_ptr<const SecretOctets> secret = find_secret(entry.get(), values->resources, resource->text());
  if (!secret) return unknown(Errc::resource_unknown, "a resource of the guest's entry, or a shared one");
  Checked<std::string> sealed = jwe_seal(grant->key, secret->expose(), broker.entropy);
  if (!sealed) return refuse(std::move(response), 401, "JweError", "the secret could not be sealed", sealed.error());
  response.sealed = SealedSecret{.key = grant->key, .secret = secret};
  return finish(std::move(response), 200, *std::move(sealed), kJson);
}

Response refuse_body(const Request& request, std::uint64_t size) {
  return refuse(
      start(request, request.method + " " + verify::printable(request.target, 200)), 413, "", "",
      {Errc::too_large, "body", "at most " + std::to_string(kMaxBodyBytes) + " octets", std::to_string(size)});
}

Response refuse_encoding(const Request& request) {
  return refuse(start(request, request.method + " " + verify::printable(request.target, 200)), 415, "", "",
                {Errc::bad_value, "Content-Encoding, Content-Type", "a plain JSON body", "another form"});
}

}  // namespace attestbed::kbs
