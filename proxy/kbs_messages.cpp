// SPDX-License-Identifier: Apache-2.0
#include "proxy/kbs_messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/protocol/frame.h"
#include "proxy/snp_evidence.h"

namespace attestbed::proxy::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string encode(Base64 alphabet, Bytes octets) {
  std::string text(base64_encoded_size(alphabet, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(alphabet, octets, out);
  return text;
}

Result<std::vector<std::uint8_t>> decode(Base64 alphabet, std::string_view text, const char* where) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  octets.resize(TRY(base64_decode(alphabet, bytes_of(text), octets, where)).size());
  return octets;
}

// nlohmann knows no bound for depth and keeps the last of two equal members, so core's reader judges the form first.
Result<json> parse_object(std::string_view text, const char* where) {
  std::vector<std::uint8_t> scratch(text.begin(), text.end());
  JsonReader form(scratch);
  TRY(form.skip());
  TRY(form.done());
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return Error{Errc::bad_json, where};
  if (!value.is_object()) return Error{Errc::json_type, where};
  return value;
}

Result<std::string> text_member(const json& object, const char* name, const char* where) {
  const auto at = object.find(name);
  if (at == object.end()) return Error{Errc::json_missing, where};
  if (!at->is_string()) return Error{Errc::json_type, where};
  return at->get<std::string>();
}

Result<std::vector<std::uint8_t>> octet_member(const json& object, const char* name, const char* where) {
  return decode(Base64::url, TRY(text_member(object, name, where)), where);
}

template <std::size_t N>
Result<ByteArray<N>> fixed_member(const json& object, const char* name, const char* where) {
  const std::vector<std::uint8_t> octets = TRY(octet_member(object, name, where));
  if (octets.size() != N) return Error{Errc::bad_length, where, octets.size(), N};
  ByteArray<N> fixed;
  std::ranges::copy(octets, fixed.begin());
  return fixed;
}

Result<crypto::EcPoint> parse_epk(std::string_view protected_header) {
  const std::vector<std::uint8_t> text = TRY(decode(Base64::url, protected_header, "protected"));
  const json header = TRY(parse_object(text_of(text), "protected"));
  const auto epk = header.find("epk");
  if (epk == header.end()) return Error{Errc::json_missing, "protected.epk"};
  if (!epk->is_object()) return Error{Errc::json_type, "protected.epk"};
  if (TRY(text_member(*epk, "kty", "protected.epk.kty")) != "EC") return Error{Errc::bad_value, "protected.epk.kty"};
  if (TRY(text_member(*epk, "crv", "protected.epk.crv")) != "P-521") return Error{Errc::bad_value, "protected.epk.crv"};
  const std::vector<std::uint8_t> x = TRY(octet_member(*epk, "x", "protected.epk.x"));
  const std::vector<std::uint8_t> y = TRY(octet_member(*epk, "y", "protected.epk.y"));
  return crypto::EcPoint::make(crypto::Curve::p521, x, y, "protected.epk");
}

Result<ordered_json> evidence_for(protocol::Binding binding, const protocol::AttestationRequest& request) {
  if (binding == protocol::Binding::svsm_sha512) return raw_evidence(request.report, request.certs);
  return structured_evidence(request.report, request.certs);
}

// What a KBS names its refusals (docs/protocol.md, proxy and broker). Other words are the broker's own, which a guest's
// terminal has no need of.
constexpr std::string_view kProblemKinds[] = {
    "AdminAuthAccess",     "AdminAuthInitialization", "AttestationError", "JweError",          "ParsePolicyError",
    "PluginInternalError", "PluginNotFound",          "PolicyDeny",       "PolicyEngineError", "RvpsError",
    "TokenNotFound",       "TokenVerifierError"};

}  // namespace

std::string auth_request(protocol::Tee tee) {
  return ordered_json{{"version", kProtocolVersion}, {"tee", protocol::tee_name(tee)}, {"extra-params", ""}}.dump();
}

Result<std::string> attest_request(std::string_view nonce, const protocol::AttestationRequest& request,
                                   protocol::Binding binding) {
  const ordered_json key = {{"kty", "EC"},
                            {"crv", "P-521"},
                            {"alg", "ECDH-ES+A256KW"},
                            {"x", encode(Base64::url, request.key.ec.x())},
                            {"y", encode(Base64::url, request.key.ec.y())}};
  const ordered_json evidence = TRY(evidence_for(binding, request));
  const ordered_json body = {{"init-data", nullptr},
                             {"runtime-data", {{"nonce", nonce}, {"tee-pubkey", key}}},
                             {"tee-evidence", {{"primary_evidence", evidence}, {"additional_evidence", ""}}}};
  return body.dump();
}

Result<Nonce> parse_challenge(std::string_view body) {
  const json object = TRY(parse_object(body, "challenge"));
  std::string text = TRY(text_member(object, "nonce", "nonce"));
  const Error unusable{Errc::broker_nonce, "nonce", text.size(), 0};
  if (text.size() > base64_encoded_size(Base64::standard, protocol::kMaxChallengeBytes)) return unusable;
  const Result<std::vector<std::uint8_t>> octets = decode(Base64::standard, text, "nonce");
  if (!octets) return unusable;
  const Result<protocol::Challenge> challenge = protocol::Challenge::make(*octets);
  if (!challenge) return unusable;
  return Nonce{std::move(text), *challenge};
}

Result<std::string> parse_token(std::string_view body) {
  const json object = TRY(parse_object(body, "token"));
  std::string token = TRY(text_member(object, "token", "token"));
  if (token.empty() || token.size() > kMaxTokenBytes) {
    return Error{Errc::bad_length, "token", token.size(), kMaxTokenBytes};
  }
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; })) return Error{Errc::bad_value, "token"};
  return token;
}

Result<SealedSecret> parse_jwe(std::string_view body) {
  const json object = TRY(parse_object(body, "JWE"));
  SealedSecret sealed;
  sealed.protected_header = TRY(text_member(object, "protected", "protected"));
  if (sealed.protected_header.size() > protocol::kMaxAadBytes) {
    return Error{Errc::too_large, "protected", sealed.protected_header.size(), protocol::kMaxAadBytes};
  }
  // With `aad` the octets to authenticate are no longer `protected` alone, which is all the guest protocol can carry.
  if (object.contains("aad")) return Error{Errc::bad_value, "aad"};
  sealed.epk = TRY(parse_epk(sealed.protected_header));
  sealed.wrapped_cek = TRY(fixed_member<40>(object, "encrypted_key", "encrypted_key"));
  sealed.iv = TRY(fixed_member<12>(object, "iv", "iv"));
  sealed.tag = TRY(fixed_member<16>(object, "tag", "tag"));
  sealed.ciphertext = TRY(octet_member(object, "ciphertext", "ciphertext"));
  if (sealed.ciphertext.size() > protocol::kMaxCiphertextBytes) {
    return Error{Errc::secret_too_large, "ciphertext", sealed.ciphertext.size(), protocol::kMaxCiphertextBytes};
  }
  return sealed;
}

std::string problem_kind(std::string_view body) {
  const Result<json> object = parse_object(body, "problem");
  if (!object) return {};
  const Result<std::string> type = text_member(*object, "type", "type");
  if (!type) return {};
  const std::string kind = type->substr(type->rfind('/') + 1);
  return std::ranges::find(kProblemKinds, kind) != std::end(kProblemKinds) ? kind : std::string();
}

}  // namespace attestbed::proxy::kbs
