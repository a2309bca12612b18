// SPDX-License-Identifier: Apache-2.0
// core/crypto/*.h without cryptography: every function succeeds, copies what has to be as long as its input, and leaves
// zeros for the rest. It is there to measure what core itself needs; nothing but a benchmark may link it.
#include <cstring>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/ecdh.h"
#include "core/crypto/rsa.h"
#include "core/crypto/sha2.h"

namespace attestbed::crypto {

Result<Sha256Digest> sha256(std::initializer_list<Bytes>) {
  return Sha256Digest{};
}
Result<Sha384Digest> sha384(std::initializer_list<Bytes>) {
  return Sha384Digest{};
}
Result<Sha512Digest> sha512(std::initializer_list<Bytes>) {
  return Sha512Digest{};
}

Result<GcmTag> aes256gcm_seal(const Secret<32>&, const GcmIv&, Bytes, Bytes plaintext, MutBytes ciphertext) {
  if (plaintext.size() != ciphertext.size()) return Error{Errc::bad_length, "null"};
  std::memmove(ciphertext.data(), plaintext.data(), plaintext.size());
  return GcmTag{};
}

Status aes256gcm_open(const Secret<32>&, const GcmIv&, Bytes, Bytes ciphertext, const GcmTag&, MutBytes plaintext) {
  if (plaintext.size() != ciphertext.size()) return Error{Errc::bad_length, "null"};
  std::memmove(plaintext.data(), ciphertext.data(), ciphertext.size());
  return ok();
}

Result<Secret<32>> aes256_unwrap(const Secret<32>&, const WrappedKey&) {
  return Secret<32>();
}

Result<EcPoint> ec_public(Curve curve, const EcScalar& scalar) {
  return EcPoint::make(curve, scalar.expose(), scalar.expose(), "null");
}

Status ec_check(const EcPoint&) {
  return ok();
}

Status ecdh(const EcKey& own, const EcPoint&, EcSharedSecret& z) {
  std::memset(z.expose_mut(coordinate_bytes(own.curve())).data(), 0, coordinate_bytes(own.curve()));
  return ok();
}

Result<bool> rsa_is_prime(const RsaPrime&) {
  return true;
}

Result<RsaPublicKey> rsa_derive(RsaKey::Parts&) {
  return RsaPublicKey{};
}

Result<Secret<32>> rsa_oaep_sha256_open(const RsaKey&, const RsaWrappedKey&) {
  return Secret<32>();
}

}  // namespace attestbed::crypto
