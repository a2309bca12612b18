// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/json.h"
#include "core/crypto/ecdh.h"
#include "core/crypto/rsa.h"

namespace attestbed::protocol {

/// KeyType is the kind of key that a guest makes for one attempt. Which go with which binding says check_pair.
enum class KeyType : std::uint8_t { p521, p256, rsa3072 };

const char* key_type_name(KeyType key);  // "P-521", "P-256", "RSA-3072"
Result<KeyType> key_type_named(std::string_view name, const char* where);

/// is_ec is true for the two curves; curve_of says which one, P-521 for RSA-3072.
constexpr bool is_ec(KeyType key) {
  return key != KeyType::rsa3072;
}
constexpr crypto::Curve curve_of(KeyType key) {
  return key == KeyType::p256 ? crypto::Curve::p256 : crypto::Curve::p521;
}

/// GuestPublicKey is the key that a report binds and a secret is sealed to: of `type`, in `ec` or in `rsa`. The octets
/// of a point may be anything a peer sent, as in EcPoint.
struct GuestPublicKey {
  KeyType type = KeyType::p521;
  crypto::EcPoint ec;
  crypto::RsaPublicKey rsa;

  static GuestPublicKey of(const crypto::EcPoint& point);
  static GuestPublicKey of(const crypto::RsaPublicKey& key);
  friend bool operator==(const GuestPublicKey&, const GuestPublicKey&) = default;
};

/// write_jwk writes the key as a JWK (RFC 7517) with the members that Trustee's runtime data has, in the order of RFC
/// 8785: alg, crv, kty, x, y, or alg, e, kty, n. At most 600 octets.
void write_jwk(JsonWriter& json, const GuestPublicKey& key);

/// GuestKey is the pair, for one attempt. Only what `type` says is set.
struct GuestKey {
  KeyType type = KeyType::p521;
  crypto::EcKey ec;
  crypto::RsaKey rsa;

  /// generate makes a fresh pair.
  ///   progress  hears of the search for RSA primes; may be null
  ///   errors    those of EcKey::generate and RsaKey::generate
  Status generate(KeyType which, Entropy& entropy, Clock& clock, Deadline until, crypto::KeyProgress* progress);
  GuestPublicKey public_key() const;
};

}  // namespace attestbed::protocol
