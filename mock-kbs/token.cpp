// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/token.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/posix/describe.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/es256.h"

namespace attestbed::kbs {

using nlohmann::json;
using nlohmann::ordered_json;

struct TokenIssuer::Impl {
  Es256Key key;
  std::string header;  // base64url, the same for every token of this process
  std::chrono::seconds lifetime;
};

namespace {

Refusal invalid(std::string expected, std::string found) {
  return {Errc::token_invalid, "Authorization.Bearer", std::move(expected), std::move(found)};
}

std::string header_for(const crypto::EcPoint& key) {
  const ordered_json jwk = {
      {"alg", "ES256"}, {"kty", "EC"}, {"crv", "P-256"}, {"x", base64url(key.x())}, {"y", base64url(key.y())}};
  return base64url(ordered_json{{"typ", "JWT"}, {"alg", "ES256"}, {"jwk", jwk}}.dump());
}

// Trustworthiness vector of draft-ietf-rats-ar4si: 2 affirming, 3 affirming with the narrower claim, 36 warning, 0 no
// claim. `executables` is 3 because the measurement is a reference value; the TCB is not compared with one, so
// `hardware` makes no claim.
ordered_json submodule(const Claims& claims) {
  const snp::RawReport& report = claims.report.report();
  const std::uint64_t policy = report.policy;
  const bool sealed_off = (policy & (snp::kPolicyDebug | snp::kPolicyMigrateMa)) == 0;
  const snp::Tcb tcb = snp::decode_tcb(claims.report.vek().product(), report.reported_tcb);
  const ordered_json evidence = {
      {"measurement", verify::hex_text(report.measurement)},
      {"chip_id", verify::hex_text(report.chip_id)},
      {"policy_abi_major", (policy >> 8) & 0xff},
      {"policy_abi_minor", policy & 0xff},
      {"policy_smt_allowed", (policy & snp::kPolicySmtAllowed) != 0},
      {"policy_migrate_ma", (policy & snp::kPolicyMigrateMa) != 0},
      {"policy_debug_allowed", (policy & snp::kPolicyDebug) != 0},
      {"policy_single_socket", (policy & snp::kPolicySingleSocket) != 0},
      {"reported_tcb_bootloader", tcb.boot_loader},
      {"reported_tcb_tee", tcb.tee},
      {"reported_tcb_snp", tcb.snp},
      {"reported_tcb_microcode", tcb.microcode},
  };
  const ordered_json tee_pubkey = {{"alg", "ECDH-ES+A256KW"},
                                   {"crv", "P-521"},
                                   {"kty", "EC"},
                                   {"x", base64url(claims.key.ec.x())},
                                   {"y", base64url(claims.key.ec.y())}};
  const ordered_json runtime = {{"additional-evidence", ""},
                                {"nonce", base64_text(Base64::standard, claims.challenge.octets())},
                                {"tee-pubkey", tee_pubkey}};
  const ordered_json vector = {{"instance-identity", 0}, {"configuration", sealed_off ? 3 : 36},
                               {"executables", 3},       {"file-system", 0},
                               {"hardware", 0},          {"runtime-opaque", 0},
                               {"storage-opaque", 0},    {"sourced-data", 0}};
  return {
      {"ear.status", sealed_off ? "affirming" : "warning"},
      {"ear.trustworthiness-vector", vector},
      {"ear.appraisal-policy-id", "default"},
      {"ear.veraison.annotated-evidence",
       {{"snp", evidence}, {"report_data", verify::hex_text(report.report_data)}, {"runtime_data_claims", runtime}}}};
}

std::vector<std::uint8_t> decode(Base64 alphabet, std::string_view text) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const Result<MutBytes> decoded = base64_decode(alphabet, bytes_of(text), octets, "token");
  octets.resize(decoded ? decoded->size() : 0);
  return octets;
}

// The signature has verified, so this text is our own; it is read with the same care all the same.
Checked<Grant> grant_of(const json& payload) {
  const Members claims = TRY(Members::of(payload, "token"));
  const Members submods = TRY(claims.object("submods"));
  const Members cpu = TRY(submods.object("cpu0"));
  const Members evidence = TRY(cpu.object("ear.veraison.annotated-evidence"));
  const Members runtime = TRY(evidence.object("runtime_data_claims"));
  const Members key = TRY(runtime.object("tee-pubkey"));
  const Members snp = TRY(evidence.object("snp"));
  const std::string_view hex = TRY(snp.text("measurement"));
  std::string measurement;
  Grant grant;
  if (!posix::from_hex(hex, measurement) || measurement.size() != grant.measurement.size()) {
    return invalid("a measurement of 48 octets", "another");
  }
  std::ranges::copy(bytes_of(measurement), grant.measurement.begin());
  const std::vector<std::uint8_t> x = decode(Base64::url, TRY(key.text("x")));
  const std::vector<std::uint8_t> y = decode(Base64::url, TRY(key.text("y")));
  const crypto::EcPoint point = TRY(checked(crypto::EcPoint::make(crypto::Curve::p521, x, y, "tee-pubkey")));
  grant.key = protocol::GuestPublicKey::of(point);
  const std::vector<std::uint8_t> nonce = decode(Base64::standard, TRY(runtime.text("nonce")));
  const protocol::Challenge challenge = TRY(checked(protocol::Challenge::make(nonce)));
  grant.attestation = TRY(checked(protocol::attestation_id(challenge)));
  return grant;
}

}  // namespace

Checked<TokenIssuer> TokenIssuer::make(Entropy& entropy, std::chrono::seconds lifetime) {
  crypto::EcKey key;
  TRY(checked(key.generate(crypto::Curve::p256, entropy)));
  Es256Key signing_key = TRY(Es256Key::from(key));
  std::string header = header_for(signing_key.point());
  return TokenIssuer(std::make_unique<Impl>(Impl{std::move(signing_key), std::move(header), lifetime}));
}

Checked<std::string> TokenIssuer::issue(const Claims& claims, verify::Time now) const {
  const std::int64_t issued = now.time_since_epoch().count();
  const ordered_json payload = {
      {"eat_profile", "tag:github.com,2024:confidential-containers/Trustee"},
      {"iat", issued},
      {"ear.verifier-id", {{"developer", "attestbed"}, {"build", "mock-kbs"}}},
      {"submods", {{"cpu0", submodule(claims)}}},
      {"exp", issued + impl_->lifetime.count()},
      {"iss", "attestbed mock-kbs"},
  };
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
  return grant_of(payload);
}

TokenIssuer::TokenIssuer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenIssuer::TokenIssuer(TokenIssuer&&) noexcept = default;
TokenIssuer::~TokenIssuer() = default;

}  // namespace attestbed::kbs
