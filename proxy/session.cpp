// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.h"

#include <algorithm>

#include "core/protocol/frame.h"
#include "proxy/evidence_findings.h"
#include "proxy/refusal_frame.h"

namespace attestbed::proxy {
namespace {

constexpr auto kGlance = std::chrono::milliseconds(1);
constexpr int kMaxGlances = 16;  // a guest that never stops sending is noise, which the next attempt skips or refuses

using protocol::Phase;

Failure no_fault_of_the_guest(const Error& error) {
  return {Errc::proxy_internal, brief(error), {}};
}

// Attempt is the state of one serve_attempt: two buffers, and what phase 2 needs to know of phase 1.
class Attempt {
 public:
  Attempt(Transport& guest, BrokerSession& broker, const SessionConfig& config, Clock& clock,
          const std::atomic<bool>& cancelled, SessionLog& log, const LineRules& rules)
      : guest_(guest),
        broker_(&broker),
        config_(config),
        clock_(clock),
        cancelled_(cancelled),
        log_(log),
        rules_(rules) {}

  LineState run() {
    const Outcome<void> outcome = both_phases();
    if (!outcome && any_octet_) refuse(outcome.error());
    return in_step_ ? LineState::in_step : LineState::lost;
  }

 private:
  Outcome<void> both_phases() {
    try {
      const MutBytes first = TRY(receive_first());
      TRY(negotiate(first));
      for (;;) {
        phase_ = Phase::attestation;
        const MutBytes frame = TRY(receive());
        if (!is_negotiation(frame)) return attest(frame);
        phase_ = Phase::negotiation;
        TRY(begin_anew(frame));
      }
    } catch (const std::exception&) {  // no memory: the guest is told as of any other failure
      return Failure{Errc::proxy_internal, "the proxy ran out of something", {}};
    }
  }

  bool is_serial() const { return rules_.kind == LineKind::serial; }

  Outcome<void> negotiate(MutBytes frame) {
    served_.assign(frame.begin(), frame.end());  // the decoder writes into what it reads
    const Result<protocol::NegotiationRequest> request = protocol::decode_negotiation_request(frame);
    if (!request) return unreadable(request.error());
    terms_ = TRY(judge(*request));
    challenge_ = TRY(broker_->auth(request->tee, until_));
    const Result<protocol::AttestationId> id = protocol::attestation_id(*challenge_);
    if (!id) return no_fault_of_the_guest(id.error());
    log_.identify(*id);

    protocol::NegotiationResponse response;
    response.challenge = challenge_;
    if (request->terms) response.accepted = terms_;
    const Result<Bytes> encoded = protocol::encode_negotiation_response(response, out_);
    TRY(answer(encoded));
    answered_ = *encoded;
    log_.negotiated(terms_, guest_traffic_, *broker_);
    return {};
  }

  // A guest that got no octet for a while repeats its request, and one that was reset begins with one. Only a serial
  // line has such guests: of the others a new one has a new line.
  bool is_negotiation(MutBytes frame) const {
    if (!is_serial()) return false;
    if (is_the_one_served(frame)) return true;
    std::vector<std::uint8_t> copy(frame.begin(), frame.end());  // the decoder writes into what it reads
    return protocol::decode_negotiation_request(copy).has_value();
  }
  bool is_the_one_served(MutBytes frame) const { return std::ranges::equal(frame, served_); }

  Outcome<void> begin_anew(MutBytes frame) {
    begin_budget();
    const bool same = is_the_one_served(frame);
    log_.begun_anew(same);
    if (!rules_.take_attempt()) return Failure{Errc::attempts_exhausted, "this line has had its attempts", {}};
    if (!same) {
      another_broker_ = rules_.open_broker();
      if (!another_broker_) return Failure{Errc::proxy_internal, "no further session at the broker", {}};
      broker_ = another_broker_.get();
      return negotiate(frame);
    }
    // The same answer, octet for octet: the guest may have the first one already, and its evidence may be on its way.
    // The broker's nonce is still unused, so nothing is lost; one that has expired shows as session_expired.
    return answer(answered_);
  }

  Outcome<void> attest(MutBytes frame) {
    auto request = protocol::decode_attestation_request(frame, terms_.key);
    if (!request) return Failure{Errc::malformed_request, brief(request.error()), {}};
    if (request->tee != protocol::Tee::snp) return Failure{Errc::tee_unsupported, "only snp is served", {}};
    set_aside_unreadable_certs(*request, terms_, log_);
    const std::string explanation = explain_refusal(*request, *challenge_, terms_, log_);
    const Outcome<std::string> token = broker_->attest(*request, terms_.binding, until_);
    if (!token) return explained(token.error(), explanation);
    log_.attested(*token, guest_traffic_, *broker_);

    SealedSecret sealed = TRY(broker_->resource(terms_.resource, until_));
    protocol::AttestationResponse response;
    response.success = true;
    response.secret = MutBytes(sealed.ciphertext);
    response.decryption = protocol::Decryption{.epk = sealed.epk,
                                               .wrapped_cek = sealed.wrapped_cek,
                                               .aad = bytes_of(sealed.protected_header),
                                               .iv = sealed.iv,
                                               .tag = sealed.tag};
    response.token = protocol::Token{"Jwt", *token};
    TRY(answer(protocol::encode_attestation_response(response, out_)));
    log_.released(terms_, sealed.ciphertext.size(), guest_traffic_.octets_sent, *broker_, clock_.now() - began_);
    return {};
  }

  // The broker's own verdict comes first.
  static Failure explained(Failure failure, const std::string& explanation) {
    if (failure.code == Errc::attestation_refused) failure.detail += explanation;
    return failure;
  }

  // A guest of another version may well send what cannot be read here: it is told what it can act on.
  Failure unreadable(const Error& error) const {
    std::vector<std::uint8_t> copy = served_;
    const Result<protocol::Version> version = protocol::decode_version(copy);
    if (version && *version != protocol::kVersion) return unsupported(*version);
    return {Errc::malformed_request, brief(error), {}};
  }
  static Failure unsupported(const protocol::Version& v) {
    return {Errc::version_unsupported,
            "the guest speaks " + std::to_string(v.major) + "." + std::to_string(v.minor) + "." +
                std::to_string(v.patch) + ", this proxy speaks 0.1.0",
            {}};
  }

  Outcome<protocol::Terms> judge(const protocol::NegotiationRequest& request) const {
    if (request.version != protocol::kVersion) return unsupported(request.version);
    if (request.tee != protocol::Tee::snp) {
      return Failure{
          Errc::tee_unsupported, std::string("only snp is served, not ") + protocol::tee_name(request.tee), {}};
    }
    if (!request.terms) return protocol::Terms{.resource = config_.resource};
    const Status pair = protocol::check_pair(request.terms->binding, request.terms->key);
    if (!pair) return Failure{Errc::terms_refused, pair.error().where, {}};
    if (std::ranges::find(config_.allowed, request.terms->resource) == config_.allowed.end()) {
      return Failure{Errc::resource_refused, "this resource is not in --allow-resource", {}};
    }
    return *request.terms;
  }

  Outcome<MutBytes> receive_first() {
    if (!is_serial()) return receive();
    if (rules_.start.skipped != 0) log_.skipped(rules_.start.skipped);
    return taken(protocol::receive_found(guest_, rules_.start, in_, until_), began_);
  }

  Outcome<MutBytes> receive() {
    const Instant began = clock_.now();
    return taken(protocol::receive_frame(guest_, in_, until_), began);
  }

  // taken judges what came of a frame that was waited for since `began`.
  Outcome<MutBytes> taken(const Result<MutBytes>& frame, Instant began) {
    guest_traffic_ = {.waited = clock_.now() - began};
    // `closed` is the end of the line between two frames; in the first phase that is before the first octet.
    if (frame || frame.error().code != Errc::closed || phase_ == Phase::attestation) any_octet_ = true;
    if (!frame) {
      in_step_ = false;
      return line_failed(frame.error());
    }
    guest_traffic_.octets_received = protocol::kFramePrefixBytes + frame->size();
    return *frame;
  }

  Outcome<void> answer(const Result<Bytes>& body) {
    if (!body) return no_fault_of_the_guest(body.error());
    // What is ready is sent, even if getting it took the whole budget.
    const Deadline until = std::max(until_, clock_.now() + config_.refusal_budget);
    const Status sent = protocol::send_frame(guest_, *body, until);
    if (!sent) {
      in_step_ = false;
      may_tell_ = false;  // part of a frame may be out: another would be read as its body
      return line_failed(sent.error());
    }
    guest_traffic_.octets_sent = protocol::kFramePrefixBytes + body->size();
    return {};
  }

  Failure line_failed(const Error& error) const {
    if (cancelled_.load()) return {Errc::proxy_stopping, "the proxy is shutting down", {}};
    if (error.code == Errc::deadline) return {Errc::guest_timeout, "the guest's message was not complete in time", {}};
    return {Errc::malformed_request, brief(error), {}};
  }

  void refuse(const Failure& failure) {
    bool told = false;
    if (may_tell_) {
      // The guest may have no challenge, so no name for the attempt: this one is in our log whatever happened.
      const Result<Bytes> body = encode_refusal(failure.code, phase_, log_.session() + ": " + failure.detail, out_);
      // Once for the attempt: what a slow answer took of it after the budget is gone.
      const Deadline until = std::min(clock_.now(), until_) + config_.refusal_budget;
      told = body && protocol::send_frame(guest_, *body, until);
      in_step_ = in_step_ && told;
      if (is_serial() && told) drop_what_waits();
    }
    log_.refused(failure, phase_, told, *broker_, clock_.now() - began_);
  }

  // What has come while the broker was silent are repetitions of a question that is answered now. Left on the line each
  // would begin an attempt of its own, whose refusal the next guest would take for its answer.
  void drop_what_waits() {
    for (int i = 0; i < kMaxGlances; ++i) {
      if (!guest_.read_some(in_, clock_.now() + kGlance)) return;
    }
  }

  void begin_budget() {
    began_ = clock_.now();
    until_ = began_ + config_.budget;
  }

  Transport& guest_;
  BrokerSession* broker_;
  const SessionConfig& config_;
  Clock& clock_;
  const std::atomic<bool>& cancelled_;
  SessionLog& log_;
  const LineRules& rules_;

  Instant began_ = clock_.now();
  Deadline until_ = began_ + config_.budget;
  Phase phase_ = Phase::negotiation;
  bool any_octet_ = false, in_step_ = true, may_tell_ = true;
  protocol::Terms terms_;
  std::optional<protocol::Challenge> challenge_;
  GuestTraffic guest_traffic_;
  // Serial lines: the NegotiationRequest being served, the answer to it in out_, and the session that it opened if it
  // was not the first.
  std::vector<std::uint8_t> served_;
  Bytes answered_;
  std::unique_ptr<BrokerSession> another_broker_;
  ByteArray<protocol::kMaxFrameBytes> in_, out_;
};

}  // namespace

LineState serve_attempt(Transport& guest, BrokerSession& broker, const SessionConfig& config, Clock& clock,
                        const std::atomic<bool>& cancelled, SessionLog& log, const LineRules& rules) {
  // 128 KiB of buffers: on the heap, and only while an attempt runs.
  return std::make_unique<Attempt>(guest, broker, config, clock, cancelled, log, rules)->run();
}

}  // namespace attestbed::proxy
