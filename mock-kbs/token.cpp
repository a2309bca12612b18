// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/token.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <vector>

#include "mock-kbs/base64_text.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/es256.h"
#include "mock-kbs/tee_pubkey.h"
#include "mock-kbs/token_claims.h"

namespace attestbed::kbs {

using nlohmann::json;
using nlohmann::ordered_json;

struct TokenIssuer::Impl {
  Impl(Es256Key its_key, std::string its_header, std::chrono::seconds its_lifetime)
      : key(std::move(its_key)), header(std::move(its_header)), lifetime(its_lifetime) {}

  const Es256Key key;
  const std::string header;  // base64url, the same for every token of this process
  const std::chrono::seconds lifetime;
  std::atomic<std::uint64_t> generation = 0;
};

namespace {

// A claim of our own: how many resets there were before.
constexpr char kGeneration[] = "attestbed.generation";

Refusal invalid(std::string expected, std::string found) {
  return {Errc::token_invalid, "Authorization.Bearer", std::move(expected), std::move(found)};
}

std::string header_for(const crypto::EcPoint& key) {
  const ordered_json jwk = {
      {"alg", "ES256"}, {"kty", "EC"}, {"crv", "P-256"}, {"x", base64url(key.x())}, {"y", base64url(key.y())}};
  return base64url(ordered_json{{"typ", "JWT"}, {"alg", "ES256"}, {"jwk", jwk}}.dump());
}

std::vector<std::uint8_t> decode(Base64 alphabet, std::string_view text) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const Result<MutBytes> decoded = base64_decode(alphabet, bytes_of(text), octets, "token");
  octets.resize(decoded ? decoded->size() : 0);
  return octets;
}

}  // namespace

Checked<TokenIssuer> TokenIssuer::make(Entropy& entropy, std::chrono::seconds lifetime) {
  crypto::EcKey key;
  TRY(checked(key.generate(crypto::Curve::p256, entropy)));
  Es256Key signing_key = TRY(Es256Key::from(key));
  std::string header = header_for(signing_key.point());
  return TokenIssuer(std::make_unique<Impl>(std::move(signing_key), std::move(header), lifetime));
}

Checked<std::string> TokenIssuer::issue(const Claims& claims, verify::Time now) const {
  ordered_json payload = TRY(ear_payload(claims, now, impl_->lifetime));
  payload[kGeneration] = impl_->generation.load();
  const std::string signed_part = impl_->header + "." + base64url(payload.dump());
  const Es256Signature signature = TRY(impl_->key.sign(signed_part));
  return signed_part + "." + base64url(signature);
}

Checked<Grant> TokenIssuer::check(std::string_view token, verify::Time now) const {
  if (token.size() > kMaxTokenBytes) {
    return invalid("at most " + std::to_string(kMaxTokenBytes) + " octets", std::to_string(token.size()));
  }
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return invalid("a JWT of three parts", "fewer parts");
  if (token.substr(0, first) != impl_->header)
    return invalid("the header of a token of this process", "another header");
  const std::vector<std::uint8_t> signature = decode(Base64::url, token.substr(last + 1));
  Es256Signature raw;
  if (signature.size() != raw.size()) return invalid("an ES256 signature of 64 octets", "something else");
  std::ranges::copy(signature, raw.begin());
  if (!impl_->key.verifies(token.substr(0, last), raw)) return invalid("a signature of this process", "another");

  const std::vector<std::uint8_t> text = decode(Base64::url, token.substr(first + 1, last - first - 1));
  const json payload = TRY(parse_json(text_of(text), "token"));
  const Members claims = TRY(Members::of(payload, "token"));
  const json* expires = TRY(claims.required("exp"));
  if (!expires->is_number_integer()) return invalid("exp as an integer", expires->type_name());
  const verify::Time until{std::chrono::seconds(expires->get<std::int64_t>())};
  if (now >= until) {
    return Refusal{Errc::token_expired, "token.exp", "a time after " + verify::time_text(now),
                   verify::time_text(until)};
  }
  const json* generation = TRY(claims.required(kGeneration));
  if (*generation != impl_->generation.load()) return invalid("a token issued since the last reset", "an older one");
  // The signature has verified, so this text is our own; it is read with the same care all the same.
  return grant_of(payload);
}

void TokenIssuer::end_all() const {
  ++impl_->generation;
}

std::string TokenIssuer::key_set() const {
  const crypto::EcPoint& point = impl_->key.point();
  const ordered_json key = {{"alg", "ES256"},
                            {"use", "sig"},
                            {"kid", thumbprint(protocol::GuestPublicKey::of(point))},
                            {"kty", "EC"},
                            {"crv", "P-256"},
                            {"x", base64url(point.x())},
                            {"y", base64url(point.y())}};
  return ordered_json{{"keys", ordered_json::array({key})}}.dump();
}

Checked<std::string> TokenIssuer::reissue(std::string_view token, std::int64_t seconds) const {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return invalid("a JWT of three parts", "fewer parts");
  const std::vector<std::uint8_t> text = decode(Base64::url, token.substr(first + 1, last - first - 1));
  ordered_json payload = ordered_json::parse(text_of(text), nullptr, /*allow_exceptions=*/false);
  if (!payload.contains("iat") || !payload["iat"].is_number_integer()) return invalid("claims with iat", "others");
  payload["exp"] = payload["iat"].get<std::int64_t>() + seconds;
  const std::string signed_part = impl_->header + "." + base64url(payload.dump());
  const Es256Signature signature = TRY(impl_->key.sign(signed_part));
  return signed_part + "." + base64url(signature);
}

TokenIssuer::TokenIssuer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenIssuer::TokenIssuer(TokenIssuer&&) noexcept = default;
TokenIssuer::~TokenIssuer() = default;

}  // namespace attestbed::kbs
