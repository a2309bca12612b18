// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/audit_log.h"

#include "core/crypto/sha2.h"
#include "core/log/event_log.h"

namespace attestbed::kbs {
namespace {

nlohmann::ordered_json fields_of(const AuditRecord& record) {
  nlohmann::ordered_json fields;
  const auto put = [&fields](const char* name, const std::string& value) {
    if (!value.empty()) fields[name] = value;
  };
  put("peer", record.peer);
  put("attestation", record.attestation);
  put("endpoint", record.endpoint);
  fields["status"] = record.status;
  fields["verdict"] = record.refusal ? "refused" : "ok";
  if (record.refusal) {
    fields["code"] = error_name(record.refusal->code);
    put("layer", record.layer);
    put("field", record.refusal->field);
    put("expected", record.refusal->expected);
    put("found", record.refusal->found);
  }
  put("session", record.session);
  put("tee", record.tee);
  put("evidence", record.evidence);
  put("report_id", record.report_id);
  put("measurement", record.measurement);
  put("entry", record.entry);
  put("binding", record.binding);
  put("trust", record.trust);
  put("key", record.key);
  put("resource", record.resource);
  put("rule", record.rule);
  put("fault", record.fault);
  put("fault_skipped", record.fault_skipped);
  if (record.w1_exposed) fields["w1_exposed"] = true;
  if (record.turned_away != 0) fields["turned_away"] = record.turned_away;
  return fields;
}

}  // namespace

std::string audit_line(const AuditRecord& record) {
  return fields_of(record).dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

void write_audit(const AuditRecord& record) {
  const log::Level level = record.refusal                     ? log::Level::warning
                           : record.endpoint == "GET healthz" ? log::Level::debug
                                                              : log::Level::info;
  log::event(level, record.turned_away != 0 ? "turned_away" : "request", fields_of(record));
}

std::string digest_prefix(std::string_view text) {
  const Result<crypto::Sha256Digest> digest = crypto::sha256({bytes_of(text)});
  return digest ? verify::hex_text(*digest).substr(0, 16) : std::string();
}

}  // namespace attestbed::kbs
