// SPDX-License-Identifier: Apache-2.0
#include "core/attest.h"

#include "core/protocol/jwe.h"

namespace attestbed {
namespace {

class Progress {
 public:
  Progress(AttestTrace& trace, Clock& clock) : trace_(trace), clock_(clock) { reach(AttestStep::start); }
  void reach(AttestStep step) {
    trace_.reached = step;
    trace_.at[static_cast<std::size_t>(step)] = clock_.now();
  }

 private:
  AttestTrace& trace_;
  Clock& clock_;
};

// The host's own word why it ends the attempt. It can only end it: no code changes what the guest would accept.
Error refused_by_host(const protocol::HostError& error, AttestTrace& trace) {
  trace.host_error = error;
  return {error.code,
          error.phase == protocol::Phase::negotiation ? "ext.error (negotiation)" : "ext.error (attestation)"};
}

// The two uses of the public key, apart from attempt(): an RSA key's half a kilobyte is off the stack again when the
// answer is read.
[[gnu::noinline]] Result<snp::ReportData> report_data_for(const AttestConfig& config, const protocol::GuestKey& key,
                                                          const protocol::Challenge& challenge) {
  return protocol::bind(config.terms.binding, key.public_key(), challenge);
}

[[gnu::noinline]] Result<Bytes> encode_request(const protocol::GuestKey& key, const Evidence& evidence,
                                               const protocol::Challenge& challenge, MutBytes into) {
  return protocol::encode_attestation_request({.tee = protocol::Tee::snp,
                                               .report = snp::octets_of(evidence.report),
                                               .certs = evidence.certs,
                                               .challenge = challenge.octets(),
                                               .key = key.public_key()},
                                              into);
}

Result<Released> attempt(const Platform& platform, const AttestConfig& config, Workspace& w, Deadline until,
                         protocol::GuestLine& line, crypto::KeyProgress* key_progress) {
  Progress progress(w.trace, platform.clock);
  const protocol::Terms* stated = config.terms.is_default() ? nullptr : &config.terms;

  TRY(w.key.generate(config.terms.key, platform.entropy, platform.clock, until, key_progress));
  progress.reach(AttestStep::key);

  protocol::NegotiationRequest hello;
  if (stated != nullptr) hello.terms = *stated;
  const Bytes question = TRY(protocol::encode_negotiation_request(hello, w.send));
  w.trace.in_step = false;
  const MutBytes answer = TRY(line.negotiate(question, w.receive));
  if (line.refused()) return refused_by_host(*line.refused(), w.trace);  // sending failed: the line is out of step
  const protocol::NegotiationResponse negotiated = TRY(protocol::decode_negotiation_response(answer, stated));
  w.trace.in_step = true;
  if (negotiated.error) return refused_by_host(*negotiated.error, w.trace);
  w.trace.challenge = negotiated.challenge;
  progress.reach(AttestStep::negotiated);

  w.trace.report_data = TRY(report_data_for(config, w.key, *negotiated.challenge));
  const Evidence evidence = TRY(platform.reports.report(*w.trace.report_data, until));
  if (evidence.report.report_data != *w.trace.report_data) {
    return Error{Errc::firmware_reply, "report REPORT_DATA is not what was asked for"};
  }
  progress.reach(AttestStep::reported);

  // The public key leaves the guest only now, when the challenge is fixed.
  const Bytes request = TRY(encode_request(w.key, evidence, *negotiated.challenge, w.send));
  w.trace.in_step = false;
  const MutBytes verdict = TRY(line.conclude(request, *negotiated.challenge, stated, w.receive, w.send));
  if (line.refused()) {
    w.trace.in_step = true;
    return refused_by_host(*line.refused(), w.trace);
  }
  const Result<protocol::AttestationResponse> response =
      protocol::decode_attestation_response(verdict, config.terms.key);
  if (!response) return response.error();
  w.trace.in_step = true;
  if (response->error) return refused_by_host(*response->error, w.trace);
  if (!response->success) return Error{Errc::refused, "AttestationResponse.success"};
  progress.reach(AttestStep::answered);

  const MutBytes secret = TRY(protocol::jwe_open(w.key, *response->decryption, *response->secret));
  if (secret.empty() && !config.allow_empty_secret) return Error{Errc::empty_secret, "AttestationResponse.secret"};
  progress.reach(AttestStep::opened);
  return Released{.secret = secret, .authenticated = false};
}

}  // namespace

Workspace::~Workspace() {
  wipe(receive);
  wipe(send);
}

const char* attest_step_name(AttestStep step) {
  static constexpr const char* kNames[kAttestSteps] = {"start", "key", "negotiated", "reported", "answered", "opened"};
  return kNames[static_cast<std::size_t>(step)];
}

Status check_config(const AttestConfig& config) {
  TRY(protocol::check_pair(config.terms.binding, config.terms.key));
  if (config.secret_auth != SecretAuth::none) return Error{Errc::bad_config, "secret_auth: choose none by name"};
  if (config.budget <= std::chrono::nanoseconds::zero() || config.budget > std::chrono::hours(24)) {
    return Error{Errc::bad_config, "budget: above zero and at most a day"};
  }
  return ok();
}

Result<Released> attest(const Platform& platform, const AttestConfig& config, Workspace& w,
                        crypto::KeyProgress* progress) {
  TRY(check_config(config));
  const Deadline until = platform.clock.now() + config.budget;
  w.trace = {};
  protocol::GuestLine line(platform.wire, config.line, platform.clock, until);
  const Result<Released> released = attempt(platform, config, w, until, line, progress);
  w.trace.octets_sent = line.octets_sent();
  w.trace.octets_received = line.octets_received();
  w.trace.negotiation_requests = line.requests();
  if (!released && config.line == LineKind::serial && !w.trace.in_step) {
    platform.clock.wait_until(platform.clock.now() + protocol::kGuestSilenceAfter);
  }
  return released;
}

}  // namespace attestbed
