// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// AuditRecord is what the owner of the broker learns about one request, and the peer never does. Absent fields stay
/// out of the line. Neither secret nor token nor cookie can get in: what identifies a session is the digest.
///   session      first 16 hex digits of the cookie's SHA-256
///   key          the guest key's RFC 7638 thumbprint (SHA-256, base64url)
///   tee, evidence  the kind of evidence and the shape it came in
///   report_id    REPORT_ID of a report that verified
///   binding      the entry's, by which REPORT_DATA was judged
///   trust        ear.status of the token
///   rule         what the resource policy decided by
///   layer        which layer of the judgement refused
///   w1_exposed   the guest's entry says that its host may choose what its reports bind
///   fault        what was done wrong on purpose, as in the plan
///   fault_skipped  what should have been, and found nothing in this answer that it could break
///   turned_away  not 0: no request, but so many connections that were turned away unheard since the last such record
struct AuditRecord {
  std::string peer;
  std::string endpoint;
  int status = 0;
  std::optional<Refusal> refusal;
  std::string layer;
  std::string attestation;
  std::string session;
  std::string tee;
  std::string evidence;
  std::string report_id;
  std::string measurement;
  std::string entry;
  std::string key;
  std::string binding;
  std::string trust;
  std::string resource;
  std::string rule;
  std::string fault, fault_skipped;
  bool w1_exposed = false;
  std::uint64_t turned_away = 0;
};

/// audit_line is the record as one JSON object, without time and level.
std::string audit_line(const AuditRecord& record);

/// write_audit writes it to the log: "turned_away", or "request" with verdict "ok" or "refused". Health checks only at
/// level debug.
void write_audit(const AuditRecord& record);

/// digest_prefix is how logs name a cookie: the first 16 hex digits of its SHA-256.
std::string digest_prefix(std::string_view text);

}  // namespace attestbed::kbs
