// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_log.h"

#include <cmath>

#include "core/log/event_log.h"
#include "proxy/fingerprint.h"

namespace attestbed::proxy {
namespace {

using log::Level;
using nlohmann::ordered_json;

// Milliseconds with three digits behind the point: what a reader of a log can use.
double milliseconds(std::chrono::nanoseconds time) {
  return std::round(static_cast<double>(time.count()) / 1e3) / 1e3;
}

ordered_json begin(std::uint64_t session, const std::string& peer, const std::string& attestation) {
  ordered_json fields = {{"session", session}, {"peer", peer}};
  if (!attestation.empty()) fields["attestation"] = attestation;
  return fields;
}

void add(ordered_json& fields, const BrokerTraffic& broker) {
  fields["broker_status"] = broker.status;
  fields["broker_octets_sent"] = broker.octets_sent;
  fields["broker_octets_received"] = broker.octets_received;
  fields["broker_ms"] = milliseconds(broker.took);
}

void add(ordered_json& fields, const GuestTraffic& guest) {
  fields["guest_octets_received"] = guest.octets_received;
  if (guest.octets_sent != 0) fields["guest_octets_sent"] = guest.octets_sent;
  fields["guest_ms"] = milliseconds(guest.waited);
}

}  // namespace

void SessionLog::negotiated(const protocol::Terms& terms, const GuestTraffic& guest,
                            const BrokerSession& broker) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["resource"] = terms.resource.text();
  fields["binding"] = protocol::binding_name(terms.binding);
  fields["key"] = protocol::key_type_name(terms.key);
  fields["broker_session"] = broker.label();
  add(fields, guest);
  add(fields, broker.last_call());
  log::event(Level::info, "negotiated", fields);
}

void SessionLog::skipped(std::size_t octets) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["octets"] = octets;
  log::event(Level::info, "skipped", fields);
}

void SessionLog::begun_anew(bool same) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["same"] = same;
  log::event(Level::info, "begun_anew", fields);
}

void SessionLog::mismatch(const char* what, const char* fits) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["what"] = what;
  if (fits != nullptr) fields["fits"] = fits;
  log::event(Level::warning, "mismatch", fields);
}

void SessionLog::certs_unreadable(std::size_t octets, const Error& why) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["octets"] = octets;
  fields["why"] = brief(why);
  log::event(Level::warning, "certs_unreadable", fields);
}

void SessionLog::attested(std::string_view token, const GuestTraffic& guest, const BrokerSession& broker) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["broker_session"] = broker.label();
  fields["token_sha256"] = fingerprint(token);
  fields["token_octets"] = token.size();
  add(fields, guest);
  add(fields, broker.last_call());
  log::event(Level::info, "attested", fields);
}

void SessionLog::released(const protocol::Terms& terms, std::size_t secret_octets, std::size_t octets_sent,
                          const BrokerSession& broker, std::chrono::nanoseconds total) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["resource"] = terms.resource.text();
  fields["secret_octets"] = secret_octets;
  fields["guest_octets_sent"] = octets_sent;
  add(fields, broker.last_call());
  fields["total_ms"] = milliseconds(total);
  log::event(Level::info, "released", fields);
}

void SessionLog::refused(const Failure& failure, protocol::Phase phase, bool told, const BrokerSession& broker,
                         std::chrono::nanoseconds total) const {
  ordered_json fields = begin(session_, peer_, attestation_);
  fields["code"] = error_name(failure.code);
  fields["phase"] = phase == protocol::Phase::negotiation ? "negotiation" : "attestation";
  fields["detail"] = failure.detail;
  if (!failure.received.empty()) fields["received"] = failure.received;
  const std::string peer = broker.last_call().peer;
  if (!peer.empty()) fields["broker_peer"] = peer;
  fields["told"] = told;
  fields["total_ms"] = milliseconds(total);
  log::event(Level::warning, "refused", fields);
}

}  // namespace attestbed::proxy
