// SPDX-License-Identifier: Apache-2.0
#include "proxy/kbs_client.h"

#include <optional>

#include "core/base/secret.h"
#include "core/crypto/key_pair.h"
#include "core/posix/describe.h"
#include "http-client/curl_handle.h"
#include "proxy/fingerprint.h"
#include "proxy/host_certificates.h"
#include "proxy/http_client.h"
#include "proxy/kbs_messages.h"

namespace attestbed::proxy {
namespace {

using kbs::problem_kind;
using Connection = HttpRequest::Connection;

constexpr std::string_view kCookieName = "kbs-session-id";

constexpr std::chrono::milliseconds kPause{250}, kAtOnce{1000};

// Endpoint says what a 200 body may hold: nothing that a log must not have, a token, or a sealed secret.
enum class Endpoint { auth, attest, resource };

bool is_markup(const HttpReply& reply) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const std::size_t from = reply.body.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::size_t first = reply.body.find_first_not_of(" \t\r\n", from);
  return first != std::string::npos && reply.body[first] == '<';
}

// What the log may show of an answer that was not understood. A success of /attest or /resource may be a damaged token
// or secret, so of those only a page of markup is shown: the usual sign that --url names something else than a KBS.
std::string for_log(Endpoint endpoint, const HttpReply& reply) {
  if (reply.body.empty()) return "(an empty body)";
  const bool harmless = endpoint == Endpoint::auth || reply.status >= 400 || is_markup(reply);
  if (harmless) return escaped(std::string_view(reply.body).substr(0, kMaxReceivedBytes));
  return "(" + std::to_string(reply.body.size()) + " octets, not shown: they may hold a token or a sealed secret)";
}

// A login page is no verdict of a KBS, whatever its status.
bool is_refusal(const HttpReply& reply) {
  return (reply.status == 401 || reply.status == 403 || reply.status == 417) && !is_markup(reply);  // 417: kbs-test
}

// The KBS, or a gateway before it, says in HTTP that it cannot serve this now: overload, or a failure of its own.
bool is_unavailable(const HttpReply& reply) {
  return reply.status == 429 || (reply.status >= 500 && reply.status <= 599);
}

class KbsSession final : public BrokerSession {
 public:
  KbsSession(const BrokerConfig& config, const HostCertificates& certificates, Clock& clock,
             const std::atomic<bool>& cancelled)
      : base_(config.url + "/kbs/v0/"),
        certificates_(certificates),
        http_(config, HttpLimits{}, clock, cancelled),
        clock_(clock) {}

  Outcome<protocol::Challenge> auth(protocol::Tee tee, Deadline until) override {
    // The connection is not kept while the guest makes its report: an idle one would hold a worker of the broker.
    const HttpReply reply = TRY(call(
        Endpoint::auth,
        {.url = base_ + "auth", .body = kbs::auth_request(tee), .bearer = {}, .connection = Connection::close}, until));
    if (is_refusal(reply)) return refused_at_auth(reply);
    if (reply.status != 200) return refused(Endpoint::auth, Errc::broker_malformed, reply);
    Result<kbs::Nonce> nonce = kbs::parse_challenge(reply.body);
    if (!nonce) return unreadable(Endpoint::auth, nonce.error(), reply);
    nonce_ = std::move(nonce->text);
    if (const auto lifetime = http_.cookie_lifetime(kCookieName)) session_ends_ = clock_.now() + *lifetime;
    return nonce->challenge;
  }

  Outcome<std::string> attest(const protocol::AttestationRequest& request, protocol::Binding binding,
                              Deadline until) override {
    key_ = request.key.type;
    protocol::AttestationRequest evidence = request;
    if (evidence.certs.empty()) evidence.certs = certificates_.table_for(evidence.report);
    Result<std::string> body = kbs::attest_request(nonce_, evidence, binding);
    if (!body) return Failure{Errc::malformed_request, brief(body.error()), {}};
    const HttpReply reply = TRY(
        call(Endpoint::attest,
             {.url = base_ + "attest", .body = *std::move(body), .bearer = {}, .connection = Connection::keep}, until));
    if (ended(reply)) return refused(Endpoint::attest, Errc::session_expired, reply);
    if (is_refusal(reply)) return refused(Endpoint::attest, Errc::attestation_refused, reply);
    if (reply.status != 200) return refused(Endpoint::attest, Errc::broker_malformed, reply);
    Result<std::string> token = kbs::parse_token(reply.body);
    if (!token) return unreadable(Endpoint::attest, token.error(), reply);
    token_ = *token;
    return *std::move(token);
  }

  Outcome<SealedSecret> resource(const protocol::ResourcePath& path, Deadline until) override {
    HttpRequest request{.url = base_ + "resource/" + std::string(path.text()),
                        .body = {},
                        .bearer = {},
                        .connection = Connection::close};
    HttpReply reply = TRY(call(Endpoint::resource, request, until));
    if (reply.status == 401 && problem_kind(reply.body) == "TokenNotFound") {
      // The cookie's session ended between /attest and here; the token outlives it. Once, and without the dead cookie.
      http_.forget_cookies();
      request.bearer = token_;
      reply = TRY(call(Endpoint::resource, request, until));
      const std::string kind = problem_kind(reply.body);
      if (reply.status == 401 && (kind == "TokenNotFound" || kind == "TokenVerifierError")) {
        return refused(Endpoint::resource, Errc::session_expired, reply);
      }
    } else if (ended(reply)) {
      return refused(Endpoint::resource, Errc::session_expired, reply);
    }
    if (is_refusal(reply) || (reply.status == 404 && !is_markup(reply))) {
      return refused(Endpoint::resource, Errc::secret_refused, reply);
    }
    if (reply.status != 200) return refused(Endpoint::resource, Errc::broker_malformed, reply);
    Result<SealedSecret> sealed = kbs::parse_jwe(reply.body, key_);
    if (!sealed) return unreadable(Endpoint::resource, sealed.error(), reply);
    return *std::move(sealed);
  }

  BrokerTraffic last_call() const override { return http_.last_call(); }
  std::string label() const override {
    const std::string cookie = http_.cookie(kCookieName);
    return cookie.empty() ? label_ : fingerprint(cookie);
  }

 private:
  static const char* name(Endpoint endpoint) {
    switch (endpoint) {
      case Endpoint::auth:
        return "/auth";
      case Endpoint::attest:
        return "/attest";
      case Endpoint::resource:
        return "/resource";
    }
    return "";
  }

  Outcome<HttpReply> call(Endpoint endpoint, const HttpRequest& request, Deadline until) {
    label_ = label();
    Outcome<HttpReply> reply = http_.send(request, until);
    if (!reply && may_repeat(reply.error(), until)) {
      clock_.wait_until(clock_.now() + kPause);
      reply = http_.send(request, until);
    }
    if (reply) return reply;
    Failure failure = reply.error();
    if (failure.code == Errc::too_large) {
      const bool is_secret = endpoint == Endpoint::resource && http_.last_call().status == 200;
      failure.code = is_secret ? Errc::secret_too_large : Errc::broker_malformed;
    }
    failure.detail = std::string(name(endpoint)) + ": " + failure.detail;
    return failure;
  }

  // Even /attest may be sent again if the first time no octet of it left: a broker that restarts refuses connections
  // for a moment. One that lets them hang had its time.
  bool may_repeat(const Failure& failure, Deadline until) const {
    const BrokerTraffic& first = http_.last_call();
    return failure.code == Errc::broker_unreachable && !first.left && first.took < kAtOnce &&
           clock_.now() + kPause < until;
  }

  // A 401 after the end that the broker itself gave the session judges the session, not what was shown in it.
  bool ended(const HttpReply& reply) const {
    return reply.status == 401 && !is_markup(reply) && session_ends_ && clock_.now() >= *session_ends_;
  }

  static Failure refused(Endpoint endpoint, Errc code, const HttpReply& reply) {
    if (code == Errc::broker_malformed && is_unavailable(reply)) code = Errc::broker_unavailable;
    std::string detail = std::string(name(endpoint)) + ": the broker answered " + std::to_string(reply.status);
    const std::string kind = problem_kind(reply.body);
    if (!kind.empty()) detail += " " + kind;
    return {code, std::move(detail), for_log(endpoint, reply)};
  }

  // What a KBS says 401 to here, and kbs-test 417, is a version or a TEE that it does not serve. The words of anything
  // else are those of a gateway, which would say them to any request.
  static Failure refused_at_auth(const HttpReply& reply) {
    if (reply.status != 417 && !kbs::is_problem(reply.body)) {
      Failure failure = refused(Endpoint::auth, Errc::broker_malformed, reply);
      failure.detail += " and no KBS error; does a gateway before the broker ask for authorization?";
      return failure;
    }
    Failure failure = refused(Endpoint::auth, Errc::broker_version, reply);
    const std::string theirs = kbs::other_version(reply.body);
    failure.detail +=
        theirs.empty() ? "; this proxy speaks " : "; the broker speaks " + theirs + ", this proxy speaks ";
    failure.detail += kbs::kProtocolVersion;
    return failure;
  }

  static Failure unreadable(Endpoint endpoint, const Error& error, const HttpReply& reply) {
    const Errc code = error_row(error.code).on_wire ? error.code : Errc::broker_malformed;
    std::string what = brief(error);
    if (reply.body.empty()) what = "the broker answered 200 with an empty body";
    if (is_markup(reply)) what = "the broker answered 200 with a page of markup; does --url name a KBS?";
    return {code, std::string(name(endpoint)) + ": " + what, for_log(endpoint, reply)};
  }

  std::string base_;
  const HostCertificates& certificates_;
  HttpClient http_;
  Clock& clock_;
  std::optional<Instant> session_ends_;  // as its cookie says, counted from the answer to /auth
  std::string nonce_, token_;
  protocol::KeyType key_{};  // what was attested, and is sealed to
  std::string label_;        // outlives the cookie, which the Bearer retry drops
};

class KbsBackend final : public Backend {
 public:
  KbsBackend(BrokerConfig config, HostCertificates certificates, Clock& clock)
      : config_(std::move(config)), certificates_(std::move(certificates)), clock_(clock) {}
  bool ready() const { return library_.ready(); }
  std::unique_ptr<BrokerSession> open(const std::atomic<bool>& cancelled) override {
    return std::make_unique<KbsSession>(config_, certificates_, clock_, cancelled);
  }

 private:
  http::Library library_;
  BrokerConfig config_;
  HostCertificates certificates_;
  Clock& clock_;
};

constexpr std::size_t kMaxPemBytes = 4 * 1024 * 1024;

// What makes a file of the configuration unfit: later it would fail every attempt, and in libcurl's words.
std::string problem_with(const std::string& file, std::string_view must_hold, const char* what) {
  Result<std::string> content = posix::read_file(file, kMaxPemBytes);
  if (!content) return file + " cannot be read: " + posix::describe(content.error());
  const bool holds = content->find(must_hold) != std::string::npos;
  const bool encrypted = content->find("ENCRYPTED") != std::string::npos;
  wipe({reinterpret_cast<std::uint8_t*>(content->data()), content->size()});
  if (!holds) return file + " holds no " + what + " in PEM";
  return encrypted ? file + " is encrypted, and nobody is there to be asked for its passphrase" : std::string();
}

// libcurl would find it out with every attempt, and after it has connected.
std::string problem_with_pair(const BrokerConfig& config) {
  Result<std::string> certificates = posix::read_file(config.client_certificate, kMaxPemBytes);
  Result<std::string> key = posix::read_file(config.client_key, kMaxPemBytes);
  if (!certificates || !key) return "--client-cert and --client-key cannot be read twice";
  const Status pair = crypto::certificate_fits_key(*certificates, *key);
  wipe({reinterpret_cast<std::uint8_t*>(key->data()), key->size()});
  if (pair) return {};
  const std::string_view where = pair.error().where;
  if (where == "certificate") return "--client-cert " + config.client_certificate + " holds no certificate of X.509";
  if (where == "key") return "--client-key " + config.client_key + " holds no private key that can be read";
  return "--client-key " + config.client_key + " is not the key of --client-cert " + config.client_certificate;
}

std::string problem_with_files(const BrokerConfig& config) {
  constexpr std::string_view kCertificate = "-----BEGIN CERTIFICATE-----", kKey = "PRIVATE KEY-----";
  std::string problem;
  if (!config.ca_file.empty()) problem = problem_with(config.ca_file, kCertificate, "certificate");
  if (!problem.empty()) return "--ca " + problem;
  if (config.client_certificate.empty()) return problem;
  problem = problem_with(config.client_certificate, kCertificate, "certificate");
  if (!problem.empty()) return "--client-cert " + problem;
  problem = problem_with(config.client_key, kKey, "private key");
  return problem.empty() ? problem_with_pair(config) : "--client-key " + problem;
}

}  // namespace

Outcome<std::unique_ptr<Backend>> make_kbs_backend(const BrokerConfig& config, Clock& clock) {
  const std::string problem = problem_with_files(config);
  if (!problem.empty()) return Failure{Errc::bad_config, problem, {}};
  HostCertificates certificates;
  if (!config.certs_directory.empty()) {
    std::string at;
    Result<HostCertificates> loaded = HostCertificates::load(config.certs_directory, at);
    if (!loaded) return Failure{Errc::bad_config, "--certs: " + at + " " + loaded.error().where, {}};
    certificates = *std::move(loaded);
  }
  auto backend = std::make_unique<KbsBackend>(config, std::move(certificates), clock);
  if (!backend->ready()) return Failure{Errc::internal, "libcurl does not start", {}};
  return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace attestbed::proxy
