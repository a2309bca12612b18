// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/messages.h"

#include <nlohmann/json.hpp>

#include "mock-kbs/tee_pubkey.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Checked<void> expect_text(const Members& object, const char* name, std::string_view expected, Errc code) {
  const std::string_view found = TRY(object.text(name));
  if (found == expected) return {};
  const auto shown = [](std::string_view text) {
    return text.empty() ? "an empty string" : verify::printable(text, 64);
  };
  return Refusal{code, object.path_of(name), shown(expected), shown(found)};
}

}  // namespace

Checked<Tee> decode_auth_request(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members request = TRY(Members::of(value, ""));
  TRY(expect_text(request, "version", kProtocolVersion, Errc::unsupported_version));
  const std::string_view tee = TRY(request.text("tee"));
  if (tee != "snp" && tee != "sample") {
    return Refusal{Errc::tee_unsupported, "tee", "snp or sample",
                   tee.empty() ? "an empty string" : verify::printable(tee, 64)};
  }
  TRY(request.required("extra-params"));
  return tee == "snp" ? Tee::snp : Tee::sample;
}

std::string encode_challenge(std::string_view nonce) {
  return ordered_json{{"nonce", nonce}, {"extra-params", ""}}.dump();
}

Checked<AttestRequest> decode_attest_request(std::string_view body) {
  const json value = TRY(parse_json(body, "body", kMaxEvidenceValues));
  const Members request = TRY(Members::of(value, ""));
  const json* init_data = request.find("init-data");
  if (init_data != nullptr && !init_data->is_null()) {
    return Refusal{Errc::bad_value, "init-data", "null or absent", init_data->type_name()};
  }
  AttestRequest decoded;
  const Members runtime = TRY(request.object("runtime-data"));
  decoded.nonce = TRY(runtime.text("nonce"));
  const Members key = TRY(runtime.object("tee-pubkey"));
  decoded.key = TRY(decode_tee_pubkey(key));
  const Members composite = TRY(request.object("tee-evidence"));
  TRY(expect_text(composite, "additional_evidence", "", Errc::bad_value));
  const Members primary = TRY(composite.object("primary_evidence"));
  decoded.evidence = TRY(decode_evidence(primary));
  return decoded;
}

std::string encode_token(std::string_view token) {
  return ordered_json{{"token", token}}.dump();
}

std::string encode_problem(std::string_view variant, std::string_view detail) {
  const std::string type = "https://github.com/confidential-containers/kbs/errors/" + std::string(variant);
  return ordered_json{{"type", type}, {"detail", detail}}.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string encode_refusal(std::string_view variant, const Refusal& why) {
  return encode_problem(variant, why.field + ": expected " + why.expected + ", found " + why.found);
}

}  // namespace attestbed::kbs
