// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "core/crypto/rsa.h"

namespace attestbed::crypto {
namespace {

// FIPS 186-5, A.1.3 gives up after this many candidates for a prime of half of `nlen` bits. One in 532 odd numbers of
// that size is prime.
constexpr std::size_t kMaxCandidates = std::size_t{10} * 3072;

/// leaves_unit is true unless p - 1 is a multiple of the prime e: then e has no inverse.
bool leaves_unit(Bytes prime) {
  std::uint32_t rest = 0;
  for (const std::uint8_t octet : prime) rest = (rest << 8 | octet) % 65537;
  return rest != 1;
}

/// are_apart demands |p - q| > 2^(1536 - 100), FIPS 186-5 A.1.3, and one bit more: of p - q modulo 2^1536 the upper 99
/// bits are then neither all zero nor, as for a small negative number, all one. No step depends on the primes' values.
bool are_apart(Bytes p, Bytes q) {
  std::uint32_t borrow = 0, zeros = 0, ones = 0xff;
  for (std::size_t i = kRsaPrimeBytes; i-- > 0;) {
    const std::uint32_t difference = std::uint32_t{p[i]} - q[i] - borrow;
    borrow = difference >> 31;
    if (i > 12) continue;
    // The 13th octet has the last three of them.
    zeros |= difference & (i == 12 ? 0xe0 : 0xff);
    ones &= difference | (i == 12 ? 0x1f : 0);
  }
  return zeros != 0 && ones != 0xff;
}

}  // namespace

Result<RsaPublicKey> RsaPublicKey::make(Bytes n, Bytes e, const char* where) {
  RsaPublicKey key;
  if (n.size() != key.n.size()) return Error{Errc::bad_length, where, n.size(), key.n.size()};
  if (e.size() != kRsaExponent.size()) return Error{Errc::bad_length, where, e.size(), kRsaExponent.size()};
  if (!std::ranges::equal(e, kRsaExponent)) return Error{Errc::bad_value, where};
  if ((n.front() & 0x80) == 0 || (n.back() & 1) == 0) return Error{Errc::bad_value, where};
  std::memcpy(key.n.data(), n.data(), key.n.size());
  return key;
}

Status RsaKey::generate(Entropy& entropy, Clock& clock, Deadline until, KeyProgress* progress) {
  std::size_t tested = 0;
  for (const int found : {0, 1}) {
    RsaPrime& prime = found == 0 ? parts_.p : parts_.q;
    for (std::size_t i = 0;; ++i) {
      if (i == kMaxCandidates) return Error{Errc::internal, "Entropy", kMaxCandidates, 0};
      if (clock.now() >= until) return Error{Errc::deadline, "RSA key creation"};
      const std::span<std::uint8_t, kRsaPrimeBytes> candidate = prime.expose_mut();
      TRY(entropy.fill(candidate));
      // Both top bits: then p >= 1.5 * 2^1535, which is above FIPS's sqrt(2) * 2^1535, and p * q has 3072 bits.
      candidate.front() |= 0xc0;
      candidate.back() |= 1;
      bool is_prime = leaves_unit(candidate) && (found == 0 || are_apart(parts_.p.expose(), candidate));
      if (is_prime) is_prime = TRY(rsa_is_prime(prime));
      ++tested;
      if (progress != nullptr) progress->searched(tested, found + (is_prime ? 1 : 0));
      if (is_prime) break;
    }
  }
  public_key_ = TRY(rsa_derive(parts_));
  return ok();
}

Status RsaKey::set(Bytes p, Bytes q) {
  if (p.size() != kRsaPrimeBytes) return Error{Errc::bad_length, "RsaKey.p", p.size(), kRsaPrimeBytes};
  if (q.size() != kRsaPrimeBytes) return Error{Errc::bad_length, "RsaKey.q", q.size(), kRsaPrimeBytes};
  std::memcpy(parts_.p.expose_mut().data(), p.data(), p.size());
  std::memcpy(parts_.q.expose_mut().data(), q.data(), q.size());
  public_key_ = TRY(rsa_derive(parts_));
  return ok();
}

}  // namespace attestbed::crypto
