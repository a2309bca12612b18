// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/tee_pubkey.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "core/crypto/sha2.h"
#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using protocol::GuestPublicKey;
using protocol::KeyType;

constexpr char kEcAlg[] = "ECDH-ES+A256KW";
constexpr char kRsaAlg[] = "RSA-OAEP-256";

Refusal unsupported(const Members& key, const char* member, std::string expected, std::string_view found) {
  return {Errc::key_unsupported, key.path_of(member), std::move(expected),
          found.empty() ? "an empty string" : verify::printable(found, 64)};
}

// A number as base64url of exactly `octets` octets.
Checked<std::vector<std::uint8_t>> number(const Members& key, const char* member, std::size_t octets) {
  const std::string_view text = TRY(key.text(member));
  const std::size_t chars = base64_encoded_size(Base64::url, octets);
  if (text.size() != chars) {
    return Refusal{Errc::bad_length, key.path_of(member),
                   std::to_string(octets) + " octets, " + std::to_string(chars) + " characters",
                   std::to_string(text.size()) + " characters"};
  }
  return octets_of_base64(Base64::url, text, key.path_of(member));
}

Checked<GuestPublicKey> decode_ec(const Members& key) {
  const std::string_view crv = TRY(key.text("crv"));
  if (crv != "P-521" && crv != "P-256") return unsupported(key, "crv", "P-521 or P-256", crv);
  const std::string_view alg = TRY(key.text("alg"));
  if (alg != kEcAlg) return unsupported(key, "alg", kEcAlg, alg);
  const crypto::Curve curve = crv == "P-521" ? crypto::Curve::p521 : crypto::Curve::p256;
  const std::vector<std::uint8_t> x = TRY(number(key, "x", crypto::coordinate_bytes(curve)));
  const std::vector<std::uint8_t> y = TRY(number(key, "y", crypto::coordinate_bytes(curve)));
  const crypto::EcPoint point = TRY(checked(crypto::EcPoint::make(curve, x, y, "tee-pubkey")));
  if (!crypto::ec_check(point)) {
    return Refusal{Errc::bad_point, key.path(), "a point of " + std::string(crv), "coordinates off the curve"};
  }
  return GuestPublicKey::of(point);
}

Checked<GuestPublicKey> decode_rsa(const Members& key) {
  const std::string_view alg = TRY(key.text("alg"));
  if (alg != kRsaAlg) return unsupported(key, "alg", kRsaAlg, alg);
  const std::vector<std::uint8_t> n = TRY(number(key, "n", crypto::kRsaModulusBytes));
  const std::vector<std::uint8_t> e = TRY(number(key, "e", crypto::kRsaExponent.size()));
  const Result<crypto::RsaPublicKey> made = crypto::RsaPublicKey::make(n, e, "tee-pubkey");
  if (made) return GuestPublicKey::of(*made);
  return Refusal{made.error().code, key.path(), "an odd n of exactly 3072 bits and e = 65537", "other numbers"};
}

}  // namespace

Checked<GuestPublicKey> decode_tee_pubkey(const Members& key) {
  const std::string_view kty = TRY(key.text("kty"));
  if (kty == "EC") return decode_ec(key);
  if (kty == "RSA") return decode_rsa(key);
  return unsupported(key, "kty", "EC or RSA", kty);
}

json tee_pubkey_json(const GuestPublicKey& key) {
  if (key.type == KeyType::rsa3072) {
    return {{"alg", kRsaAlg}, {"e", base64url(crypto::kRsaExponent)}, {"kty", "RSA"}, {"n", base64url(key.rsa.n)}};
  }
  return {{"alg", kEcAlg},
          {"crv", protocol::key_type_name(key.type)},
          {"kty", "EC"},
          {"x", base64url(key.ec.x())},
          {"y", base64url(key.ec.y())}};
}

std::string thumbprint(const GuestPublicKey& key) {
  // RFC 7638 section 3.2: the required members alone, sorted; alg is none of them.
  json required = tee_pubkey_json(key);
  required.erase("alg");
  const std::string text = required.dump();
  const Result<crypto::Sha256Digest> digest = crypto::sha256({bytes_of(text)});
  return digest ? base64url(*digest) : std::string();
}

}  // namespace attestbed::kbs
