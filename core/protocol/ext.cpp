// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/ext.h"

#include <algorithm>

namespace attestbed::protocol {
namespace {

constexpr std::string_view kPhaseNames[] = {"negotiation", "attestation"};

Result<Phase> phase_named(std::string_view name) {
  if (name == kPhaseNames[0]) return Phase::negotiation;
  if (name == kPhaseNames[1]) return Phase::attestation;
  return Error{Errc::bad_value, "ext.error.phase", name.size(), 0};
}

}  // namespace

void HostError::set_detail(std::string_view text) {
  detail_size = std::min(text.size(), kMaxErrorDetailBytes);
  for (std::size_t i = 0; i < detail_size; ++i) {
    detail_octets[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
  }
}

void write_terms(JsonWriter& json, const Terms& terms) {
  json.begin_object();
  json.name("binding");
  json.string(text_of(binding_name(terms.binding)));
  json.name("key");
  json.string(text_of(key_type_name(terms.key)));
  json.name("resource");
  json.string(terms.resource.text());
  json.end_object();
}

Result<Terms> read_terms(JsonReader& json, const char* where) {
  std::optional<Binding> binding;
  std::optional<KeyType> key;
  std::optional<ResourcePath> resource;
  JsonReader::Object object = TRY(json.object(where));
  while (const auto name = TRY(object.next())) {
    if (*name == "binding") {
      const MutBytes text = TRY(json.string("ext.binding"));
      binding = TRY(binding_named(text_of(text), "ext.binding"));
    } else if (*name == "key") {
      const MutBytes text = TRY(json.string("ext.key"));
      key = TRY(key_type_named(text_of(text), "ext.key"));
    } else if (*name == "resource") {
      const MutBytes text = TRY(json.string("ext.resource"));
      resource = TRY(ResourcePath::parse(text_of(text), "ext.resource"));
    } else {
      TRY(json.skip());
    }
  }
  if (!binding) return Error{Errc::json_missing, "ext.binding"};
  if (!key) return Error{Errc::json_missing, "ext.key"};
  if (!resource) return Error{Errc::json_missing, "ext.resource"};
  return Terms{*binding, *key, *resource};
}

void write_host_error(JsonWriter& json, const HostError& error) {
  json.begin_object();
  json.name("code");
  json.string(text_of(error_name(error.code)));
  json.name("phase");
  json.string(kPhaseNames[error.phase == Phase::negotiation ? 0 : 1]);
  json.name("detail");
  json.string(error.detail());
  json.end_object();
}

Result<HostError> read_host_error(JsonReader& json) {
  HostError error;
  bool has_code = false, has_phase = false, has_detail = false;
  JsonReader::Object object = TRY(json.object("ext.error"));
  while (const auto name = TRY(object.next())) {
    if (*name == "code") {
      const MutBytes code = TRY(json.string("ext.error.code"));
      const ErrorRow* row = wire_error_named(text_of(code));
      error.code = row != nullptr ? row->code : Errc::refused;
      has_code = true;
    } else if (*name == "phase") {
      const MutBytes phase = TRY(json.string("ext.error.phase"));
      error.phase = TRY(phase_named(text_of(phase)));
      has_phase = true;
    } else if (*name == "detail") {
      const MutBytes detail = TRY(json.string("ext.error.detail"));
      error.set_detail(text_of(detail));
      has_detail = true;
    } else {
      TRY(json.skip());
    }
  }
  if (!has_code) return Error{Errc::json_missing, "ext.error.code"};
  if (!has_phase) return Error{Errc::json_missing, "ext.error.phase"};
  if (!has_detail) return Error{Errc::json_missing, "ext.error.detail"};
  return error;
}

}  // namespace attestbed::protocol
