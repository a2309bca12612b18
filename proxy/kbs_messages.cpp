// SPDX-License-Identifier: Apache-2.0
#include "proxy/kbs_messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/posix/base64_text.h"
#include "core/protocol/frame.h"
#include "proxy/snp_evidence.h"

namespace attestbed::proxy::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

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

Result<crypto::EcPoint> parse_epk(const json& header, protocol::KeyType key) {
  const auto epk = header.find("epk");
  if (epk == header.end()) return Error{Errc::json_missing, "protected.epk"};
  if (!epk->is_object()) return Error{Errc::json_type, "protected.epk"};
  const std::string kty = TRY(text_member(*epk, "kty", "protected.epk.kty"));
  if (kty != "EC") return Error{Errc::bad_value, "protected.epk.kty"};
  const std::string crv = TRY(text_member(*epk, "crv", "protected.epk.crv"));
  if (crv != protocol::key_type_name(key)) return Error{Errc::bad_value, "protected.epk.crv"};
  const std::vector<std::uint8_t> x = TRY(octet_member(*epk, "x", "protected.epk.x"));
  const std::vector<std::uint8_t> y = TRY(octet_member(*epk, "y", "protected.epk.y"));
  return crypto::EcPoint::make(protocol::curve_of(key), x, y, "protected.epk");
}

// What the header must hold for frame 4 to have a form at all: a point on the guest's curve, or none beside an RSA key.
// `alg` and `enc` are the guest's to judge.
Result<std::optional<crypto::EcPoint>> sender_key(std::string_view protected_header, protocol::KeyType key) {
  const std::vector<std::uint8_t> text = TRY(decode(Base64::url, protected_header, "protected"));
  const json header = TRY(parse_object(text_of(text), "protected"));
  if (protocol::is_ec(key)) return std::optional(TRY(parse_epk(header, key)));
  if (header.contains("epk")) return Error{Errc::bad_value, "protected.epk"};
  return std::optional<crypto::EcPoint>();
}

// The guest's key as it hashed it into its report, or as stock aproxy sends the one kind of key that it knows.
Result<ordered_json> jwk_of(const protocol::GuestPublicKey& key, protocol::Binding binding) {
  if (binding == protocol::Binding::svsm_sha512) {
    return ordered_json{{"kty", "EC"},
                        {"crv", "P-521"},
                        {"alg", "ECDH-ES+A256KW"},
                        {"x", posix::base64_text(Base64::url, key.ec.x())},
                        {"y", posix::base64_text(Base64::url, key.ec.y())}};
  }
  ByteArray<protocol::kMaxBindingTextBytes> memory;
  Writer out(memory);
  JsonWriter text(out);
  protocol::write_jwk(text, key);
  return ordered_json::parse(text_of(TRY(out.finish("tee-pubkey"))));
}

Result<ordered_json> evidence_for(protocol::Binding binding, const protocol::AttestationRequest& request) {
  if (binding == protocol::Binding::svsm_sha512) return raw_evidence(request.report, request.certs);
  return structured_evidence(request.report, request.certs);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether one of the last two words of `text` begins with `start`: "expected version 0.5.0", "expect =0.2.0".
bool follows(std::string_view text, std::string_view start) {
  const auto same = [](char a, char b) { return (a | 0x20) == b; };  // of letters
  for (int word = 0; word < 2; ++word) {
    while (!text.empty() && !is_letter(text.back())) text.remove_suffix(1);
    std::size_t from = text.size();
    while (from > 0 && is_letter(text[from - 1])) --from;
    const std::string_view last = text.substr(from);
    if (last.size() >= start.size() && std::ranges::equal(last.substr(0, start.size()), start, same)) return true;
    text = text.substr(0, from);
  }
  return false;
}

bool is_version(std::string_view text) {
  constexpr std::size_t kMaxDigits = 3;
  if (std::ranges::count(text, '.') != 2) return false;
  for (int part = 0; part < 3; ++part) {
    const std::size_t digits = std::min(text.find('.'), text.size());
    if (digits == 0 || digits > kMaxDigits) return false;
    text.remove_prefix(std::min(digits + 1, text.size()));
  }
  return true;
}

// The first version that is not ours and follows such a word; empty if there is none. Runs of digits and points, so
// that neither an address nor a longer number is taken for one.
std::string version_after(std::string_view text, std::string_view word) {
  const auto is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  for (auto at = text.begin(); at != text.end();) {
    const auto from = std::find_if(at, text.end(), is_part);
    at = std::find_if_not(from, text.end(), is_part);
    const std::string_view run(from, at);
    if (is_version(run) && run != kProtocolVersion && follows({text.begin(), from}, word)) return std::string(run);
  }
  return {};
}

// What a KBS names its refusals (docs/protocol.md, proxy and broker). Other words are the broker's own, which a guest's
// terminal has no need of.
constexpr std::string_view kProblemKinds[] = {
    "AdminAuthAccess",     "AdminAuthInitialization", "AttestationError", "JweError",          "ParsePolicyError",
    "PluginInternalError", "PluginNotFound",          "PolicyDeny",       "PolicyEngineError", "RvpsError",
    "TokenNotFound",       "TokenVerifierError"};

// A text member of an error body, empty if there is none.
std::string problem_member(std::string_view body, const char* name) {
  const Result<json> object = parse_object(body, "problem");
  if (!object) return {};
  Result<std::string> text = text_member(*object, name, name);
  return text ? *std::move(text) : std::string();
}

}  // namespace

std::string auth_request(protocol::Tee tee) {
  return ordered_json{{"version", kProtocolVersion}, {"tee", protocol::tee_name(tee)}, {"extra-params", ""}}.dump();
}

Result<std::string> attest_request(std::string_view nonce, const protocol::AttestationRequest& request,
                                   protocol::Binding binding) {
  const ordered_json key = TRY(jwk_of(request.key, binding));
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

Result<SealedSecret> parse_jwe(std::string_view body, protocol::KeyType key) {
  const json object = TRY(parse_object(body, "JWE"));
  SealedSecret sealed;
  sealed.protected_header = TRY(text_member(object, "protected", "protected"));
  if (sealed.protected_header.size() > protocol::kMaxAadBytes) {
    return Error{Errc::too_large, "protected", sealed.protected_header.size(), protocol::kMaxAadBytes};
  }
  // With `aad` the octets to authenticate are no longer `protected` alone, which is all the guest protocol can carry.
  if (object.contains("aad")) return Error{Errc::bad_value, "aad"};
  sealed.epk = TRY(sender_key(sealed.protected_header, key));
  const std::vector<std::uint8_t> wrapped = TRY(octet_member(object, "encrypted_key", "encrypted_key"));
  sealed.wrapped_cek = TRY(protocol::WrappedCek::make(key, wrapped, "encrypted_key"));
  sealed.iv = TRY(fixed_member<12>(object, "iv", "iv"));
  sealed.tag = TRY(fixed_member<16>(object, "tag", "tag"));
  sealed.ciphertext = TRY(octet_member(object, "ciphertext", "ciphertext"));
  if (sealed.ciphertext.size() > protocol::kMaxCiphertextBytes) {
    return Error{Errc::secret_too_large, "ciphertext", sealed.ciphertext.size(), protocol::kMaxCiphertextBytes};
  }
  return sealed;
}

std::string problem_kind(std::string_view body) {
  const std::string type = problem_member(body, "type");
  const std::string kind = type.substr(type.rfind('/') + 1);
  return std::ranges::find(kProblemKinds, kind) != std::end(kProblemKinds) ? kind : std::string();
}

bool is_problem(std::string_view body) {
  return !problem_kind(body).empty() || problem_member(body, "type").find("/kbs/errors/") != std::string::npos;
}

std::string other_version(std::string_view body) {
  const std::string detail = problem_member(body, "detail");
  // A program's own version, an address or a date is none that a broker speaks: what word it follows decides, the more
  // telling words first.
  for (const std::string_view word : {"expect", "support", "version"}) {
    std::string found = version_after(detail, word);
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace attestbed::proxy::kbs
