// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/protocol/guest_key.h"

namespace attestbed::protocol {

/// The header text, decoded, may have this many octets; `aad` is its base64url form.
inline constexpr std::size_t kMaxHeaderBytes = 1024;
inline constexpr std::size_t kMaxAadBytes = base64_encoded_size(Base64::url, kMaxHeaderBytes);

/// WrappedCek is the content key as it travels: 40 octets under ECDH-ES+A256KW, 384 under RSA-OAEP-256. No other length
/// can be built.
class WrappedCek {
 public:
  WrappedCek() = default;
  WrappedCek(const crypto::WrappedKey& octets) { assign(octets); }  // NOLINT(google-explicit-constructor): one value,
  WrappedCek(const crypto::RsaWrappedKey& octets) { assign(octets); }  // NOLINT(google-explicit-constructor): two forms
  /// set takes the octets that go with a key of this type. Errors: bad_length.
  Status set(KeyType key, Bytes octets, const char* where);
  static Result<WrappedCek> make(KeyType key, Bytes octets, const char* where);
  static constexpr std::size_t length(KeyType key) {
    return is_ec(key) ? sizeof(crypto::WrappedKey) : sizeof(crypto::RsaWrappedKey);
  }

  Bytes octets() const { return Bytes(octets_).first(size_); }
  MutBytes octets() { return MutBytes(octets_).first(size_); }
  friend bool operator==(const WrappedCek& a, const WrappedCek& b) {
    return a.size_ == b.size_ && a.octets_ == b.octets_;
  }

 private:
  void assign(Bytes octets);
  crypto::RsaWrappedKey octets_{};
  std::size_t size_ = sizeof(crypto::WrappedKey);
};

/// Decryption is what the guest needs beside the ciphertext. All lengths but aad's are in the types.
///   epk  the sender's ephemeral point; absent with RSA, which has none
///   aad  the ASCII of the JWE's `protected` member, verbatim; at most kMaxAadBytes; views the receive buffer
struct Decryption {
  std::optional<crypto::EcPoint> epk;
  WrappedCek wrapped_cek;
  Bytes aad;
  crypto::GcmIv iv;
  crypto::GcmTag tag;
};

/// jwe_open decrypts `ciphertext` in place: ECDH-ES+A256KW (RFC 7518 section 4.6) for EC keys, RSA-OAEP-256 (section
/// 4.3) for RSA, A256GCM for both. The protected header is judged first: alg as the key has it, enc A256GCM; for EC epk
/// as the point beside it, for RSA none; no apu, apv, crit, zip.
///   returns  the plaintext, a view of `ciphertext`'s memory
///   errors   too_large, bad_base64, JSON codes, jwe_header, jwe_epk_mismatch, bad_point, unwrap_failed, tag_failed
///            (`ciphertext` is wiped)
Result<MutBytes> jwe_open(const crypto::EcKey& key, const Decryption& decryption, MutBytes ciphertext);
Result<MutBytes> jwe_open(const crypto::RsaKey& key, const Decryption& decryption, MutBytes ciphertext);
Result<MutBytes> jwe_open(const GuestKey& key, const Decryption& decryption, MutBytes ciphertext);

}  // namespace attestbed::protocol
