// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/jwe.h"

#include <cstring>

#include "core/base/json.h"
#include "core/crypto/concat_kdf.h"

namespace attestbed::protocol {
namespace {

const char* curve_name(crypto::Curve curve) {
  return curve == crypto::Curve::p521 ? "P-521" : "P-256";
}

Status expect_text(JsonReader& json, std::string_view wanted, const char* where) {
  const MutBytes text = TRY(json.string(where));
  if (text_of(text) != wanted) return Error{Errc::jwe_header, where, text.size(), wanted.size()};
  return ok();
}

Status check_epk(JsonReader& json, const crypto::EcPoint& epk) {
  bool kty = false, crv = false, x = false, y = false;
  JsonReader::Object object = TRY(json.object("protected.epk"));
  while (const auto name = TRY(object.next())) {
    if (*name == "kty") {
      TRY(expect_text(json, "EC", "protected.epk.kty"));
      kty = true;
    } else if (*name == "crv") {
      TRY(expect_text(json, curve_name(epk.curve()), "protected.epk.crv"));
      crv = true;
    } else if (*name == "x") {
      const MutBytes octets = TRY(json.base64(Base64::url, crypto::kMaxCoordinateBytes, "protected.epk.x"));
      x = equal_ct(octets, epk.x());
      if (!x) return Error{Errc::jwe_epk_mismatch, "protected.epk.x"};
    } else if (*name == "y") {
      const MutBytes octets = TRY(json.base64(Base64::url, crypto::kMaxCoordinateBytes, "protected.epk.y"));
      y = equal_ct(octets, epk.y());
      if (!y) return Error{Errc::jwe_epk_mismatch, "protected.epk.y"};
    } else {
      TRY(json.skip());
    }
  }
  if (!kty || !crv || !x || !y) return Error{Errc::jwe_header, "protected.epk"};
  return ok();
}

// The header is authenticated by the tag, but whoever knows the guest's public key can make one: what it says must be
// what this guest does anyway, so nobody can talk it into another algorithm or into key-derivation inputs of his own.
//   epk  null: the key is RSA's, and the header must have none
Status check_header(Bytes aad, const crypto::EcPoint* epk) {
  constexpr std::string_view kEc = "ECDH-ES+A256KW", kRsa = "RSA-OAEP-256";
  ByteArray<kMaxHeaderBytes> scratch;
  if (aad.size() > kMaxAadBytes) return Error{Errc::too_large, "decryption.aad", aad.size(), kMaxAadBytes};
  const MutBytes text = TRY(base64_decode(Base64::url, aad, scratch, "decryption.aad"));
  JsonReader json(text);
  bool alg = false, enc = false, has_epk = false;
  JsonReader::Object object = TRY(json.object("protected"));
  while (const auto name = TRY(object.next())) {
    if (*name == "alg") {
      TRY(expect_text(json, epk != nullptr ? kEc : kRsa, "protected.alg"));
      alg = true;
    } else if (*name == "enc") {
      TRY(expect_text(json, "A256GCM", "protected.enc"));
      enc = true;
    } else if (*name == "epk") {
      if (epk == nullptr) return Error{Errc::jwe_header, "protected.epk: RSA-OAEP-256 has none"};
      TRY(check_epk(json, *epk));
      has_epk = true;
    } else if (*name == "apu" || *name == "apv" || *name == "crit" || *name == "zip") {
      return Error{Errc::jwe_header, "protected: apu, apv, crit and zip are not allowed"};
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());
  if (!alg) return Error{Errc::jwe_header, "protected.alg"};
  if (!enc) return Error{Errc::jwe_header, "protected.enc"};
  if (epk != nullptr && !has_epk) return Error{Errc::jwe_header, "protected.epk"};
  return ok();
}

Result<MutBytes> open_content(const Secret<32>& cek, const Decryption& decryption, MutBytes ciphertext) {
  TRY(crypto::aes256gcm_open(cek, decryption.iv, decryption.aad, ciphertext, decryption.tag, ciphertext));
  return ciphertext;
}

// wrapped_as yields the content key's octets if they have the length that goes with the key.
template <class Wrapped>
Result<Wrapped> wrapped_as(const WrappedCek& cek) {
  const Bytes octets = cek.octets();
  Wrapped wrapped;
  if (octets.size() != wrapped.size()) {
    return Error{Errc::bad_length, "decryption.wrapped_cek", octets.size(), wrapped.size()};
  }
  std::memcpy(wrapped.data(), octets.data(), wrapped.size());
  return wrapped;
}

}  // namespace

void WrappedCek::assign(Bytes octets) {
  size_ = octets.size();
  std::memcpy(octets_.data(), octets.data(), size_);
}

Status WrappedCek::set(KeyType key, Bytes octets, const char* where) {
  if (octets.size() != length(key)) return Error{Errc::bad_length, where, octets.size(), length(key)};
  assign(octets);
  return ok();
}

Result<WrappedCek> WrappedCek::make(KeyType key, Bytes octets, const char* where) {
  WrappedCek made;
  TRY(made.set(key, octets, where));
  return made;
}

Result<MutBytes> jwe_open(const crypto::EcKey& key, const Decryption& decryption, MutBytes ciphertext) {
  if (!decryption.epk) return Error{Errc::json_missing, "decryption.epk"};
  const crypto::WrappedKey wrapped = TRY(wrapped_as<crypto::WrappedKey>(decryption.wrapped_cek));
  TRY(check_header(decryption.aad, &*decryption.epk));
  crypto::EcSharedSecret z;
  TRY(crypto::ecdh(key, *decryption.epk, z));
  const Secret<32> kek = TRY(crypto::ecdh_es_a256kw_kek(z.expose()));
  const Secret<32> cek = TRY(crypto::aes256_unwrap(kek, wrapped));
  return open_content(cek, decryption, ciphertext);
}

Result<MutBytes> jwe_open(const crypto::RsaKey& key, const Decryption& decryption, MutBytes ciphertext) {
  if (decryption.epk) return Error{Errc::bad_value, "decryption.epk"};
  const crypto::RsaWrappedKey wrapped = TRY(wrapped_as<crypto::RsaWrappedKey>(decryption.wrapped_cek));
  TRY(check_header(decryption.aad, nullptr));
  const Secret<32> cek = TRY(crypto::rsa_oaep_sha256_open(key, wrapped));
  return open_content(cek, decryption, ciphertext);
}

Result<MutBytes> jwe_open(const GuestKey& key, const Decryption& decryption, MutBytes ciphertext) {
  return is_ec(key.type) ? jwe_open(key.ec, decryption, ciphertext) : jwe_open(key.rsa, decryption, ciphertext);
}

}  // namespace attestbed::protocol
