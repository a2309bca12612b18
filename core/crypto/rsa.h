// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/platform/clock.h"
#include "core/platform/entropy.h"

namespace attestbed::crypto {

/// A guest's RSA key has one size and one exponent: n of exactly 3072 bits, e = 65537 (docs/protocol.md, bindings and
/// keys). Another size would be another row of that table.
inline constexpr std::size_t kRsaModulusBytes = 384;
inline constexpr std::size_t kRsaPrimeBytes = kRsaModulusBytes / 2;
inline constexpr ByteArray<3> kRsaExponent{0x01, 0x00, 0x01};

/// RsaPublicKey is n, big-endian. e is kRsaExponent in every key there is.
struct RsaPublicKey {
  ByteArray<kRsaModulusBytes> n{};

  /// make judges the two numbers as they travel: n of 384 octets, odd, with its top bit set; e of the octets 01 00 01.
  /// Errors: bad_length, bad_value.
  static Result<RsaPublicKey> make(Bytes n, Bytes e, const char* where);
  friend bool operator==(const RsaPublicKey&, const RsaPublicKey&) = default;
};

/// KeyProgress hears that the search for a key's primes goes on, so that nobody waits without knowing for what.
class KeyProgress {
 public:
  /// searched: so far `candidates` numbers were tested, and `primes` of the two were found. Called after each.
  virtual void searched(std::size_t candidates, int primes) = 0;

 protected:
  ~KeyProgress() = default;
};

using RsaPrime = Secret<kRsaPrimeBytes>;

/// RsaKey is an ephemeral key pair: two probable primes of 1536 bits from `entropy` (FIPS 186-5, A.1.3), so the same
/// entropy gives the same key.
class RsaKey {
 public:
  /// Parts are the numbers of a private key as RFC 8017 section 3.2 names them, big-endian.
  struct Parts {
    RsaPrime p, q, dp, dq, qinv;
    Secret<kRsaModulusBytes> d;
  };

  RsaKey() = default;
  RsaKey(const RsaKey&) = delete;
  RsaKey& operator=(const RsaKey&) = delete;

  /// generate tests about a thousand candidates, which takes some tenths of a second, and many times that where the
  /// processor is emulated. It ends between two candidates once `until` has passed.
  ///   progress  may be null
  ///   errors    deadline; what Entropy returns; internal, also if no prime is found in far more candidates than any
  ///             source but a broken one would need
  Status generate(Entropy& entropy, Clock& clock, Deadline until, KeyProgress* progress = nullptr);
  /// set takes known primes, for vectors. Errors: bad_length, bad_value if they make no key of 3072 bits.
  Status set(Bytes p, Bytes q);

  const RsaPublicKey& public_key() const { return public_key_; }
  const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
  RsaPublicKey public_key_;
};

/// rsa_is_prime decides whether an odd number is prime, with an error below 2^-100 (FIPS 186-5, B.3). Errors: internal.
Result<bool> rsa_is_prime(const RsaPrime& candidate);

/// rsa_derive computes the rest of a key from parts.p and parts.q: the public key it returns, the other parts in place.
/// Errors: bad_value if n has not 3072 bits, e has no inverse, or d <= 2^1536 (FIPS 186-5, A.1.1); internal.
Result<RsaPublicKey> rsa_derive(RsaKey::Parts& parts);

using RsaWrappedKey = ByteArray<kRsaModulusBytes>;

/// rsa_oaep_sha256_open opens a 256-bit content key that was encrypted to `key` with RSAES-OAEP, SHA-256 and
/// MGF1-SHA-256, no label (RFC 8017 section 7.1.2; `RSA-OAEP-256` of RFC 7518 section 4.3).
/// Errors: unwrap_failed, without a hint why; internal.
Result<Secret<32>> rsa_oaep_sha256_open(const RsaKey& key, const RsaWrappedKey& wrapped);

/// rsa_oaep_sha256_seal is its inverse; the broker's half. The OAEP seed is the library's. Errors: internal.
Result<RsaWrappedKey> rsa_oaep_sha256_seal(const RsaPublicKey& recipient, const Secret<32>& key);

}  // namespace attestbed::crypto
