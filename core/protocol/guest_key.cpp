// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/guest_key.h"

namespace attestbed::protocol {

const char* key_type_name(KeyType key) {
  switch (key) {
    case KeyType::p521:
      return "P-521";
    case KeyType::p256:
      return "P-256";
    case KeyType::rsa3072:
      return "RSA-3072";
  }
  return "?";
}

Result<KeyType> key_type_named(std::string_view name, const char* where) {
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
    if (name == text_of(key_type_name(key))) return key;
  }
  return Error{Errc::bad_value, where, name.size(), 0};
}

GuestPublicKey GuestPublicKey::of(const crypto::EcPoint& point) {
  return {.type = point.curve() == crypto::Curve::p256 ? KeyType::p256 : KeyType::p521, .ec = point, .rsa = {}};
}

GuestPublicKey GuestPublicKey::of(const crypto::RsaPublicKey& key) {
  return {.type = KeyType::rsa3072, .ec = {}, .rsa = key};
}

void write_jwk(JsonWriter& json, const GuestPublicKey& key) {
  json.begin_object();
  json.name("alg");
  if (is_ec(key.type)) {
    json.string("ECDH-ES+A256KW");
    json.name("crv");
    json.string(text_of(key_type_name(key.type)));
    json.name("kty");
    json.string("EC");
    json.name("x");
    json.base64(Base64::url, key.ec.x());
    json.name("y");
    json.base64(Base64::url, key.ec.y());
  } else {
    json.string("RSA-OAEP-256");
    json.name("e");
    json.base64(Base64::url, crypto::kRsaExponent);
    json.name("kty");
    json.string("RSA");
    json.name("n");
    json.base64(Base64::url, key.rsa.n);
  }
  json.end_object();
}

}  // namespace attestbed::protocol
