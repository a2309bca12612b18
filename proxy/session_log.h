// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/platform/clock.h"
#include "core/protocol/ext.h"
#include "proxy/backend.h"
#include "proxy/failure.h"

namespace attestbed::proxy {

/// GuestTraffic is what crossed the border to the guest in one question and its answer.
///   waited  from the beginning of the wait to the guest's last octet
struct GuestTraffic {
  std::size_t octets_received = 0, octets_sent = 0;
  std::chrono::nanoseconds waited{};
};

/// SessionLog writes the events of one attempt. Every line names session, peer and, once the challenge is known, the
/// attestation. Names and fields are stable: other programs read them. Lengths are octets, times milliseconds.
///   negotiated  resource, binding, key, broker_session, guest_*, broker_*
///   skipped     octets: what a serial line carried before the attempt's first frame
///   begun_anew  same (whether the request was the one being served, octet for octet): on a serial line the guest asked
///               again in place of attesting
///   mismatch    what: the guest's evidence does not fit what it was given; the broker decides all the same. fits
///               (report_data alone): the binding whose REPORT_DATA it is, or "no binding"
///   certs_unreadable
///               octets, why: the certificate table that the guest brought is none, and is left out of the evidence
///   attested    broker_session, token_sha256 (16 hex digits), token_octets, guest_*, broker_*
///   released    resource, secret_octets (the ciphertext), guest_octets_sent, broker_*, total_ms
///   refused     code, phase, detail, received (what a broker sent, if it was not understood), broker_peer (this end of
///               the last connection to the broker, if there was one, which the broker's log has as `peer`), told
///               (whether the guest was), total_ms
class SessionLog {
 public:
  SessionLog(std::uint64_t session, std::string peer) : session_(session), peer_(std::move(peer)) {}

  /// session is what every line of this attempt has in `session`, for people: "session 7".
  std::string session() const { return "session " + std::to_string(session_); }
  void identify(const protocol::AttestationId& attestation) { attestation_ = attestation.text(); }

  void negotiated(const protocol::Terms& terms, const GuestTraffic& guest, const BrokerSession& broker) const;
  void skipped(std::size_t octets) const;
  void begun_anew(bool same) const;
  void mismatch(const char* what, const char* fits) const;
  void certs_unreadable(std::size_t octets, const Error& why) const;
  void attested(std::string_view token, const GuestTraffic& guest, const BrokerSession& broker) const;
  void released(const protocol::Terms& terms, std::size_t secret_octets, std::size_t octets_sent,
                const BrokerSession& broker, std::chrono::nanoseconds total) const;
  void refused(const Failure& failure, protocol::Phase phase, bool told, const BrokerSession& broker,
               std::chrono::nanoseconds total) const;

 private:
  std::uint64_t session_;
  std::string peer_;
  std::string attestation_;
};

}  // namespace attestbed::proxy
