// SPDX-License-Identifier: Apache-2.0
#include "sim/launch_key.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "core/crypto/openssl/handles.h"
#include "core/crypto/openssl/library.h"
#include "core/crypto/openssl/p384_signature.h"
#include "core/crypto/sha2.h"

namespace attestbed::sim {
namespace {

constexpr std::size_t kP384Bytes = 48, kPointBytes = 1 + 2 * kP384Bytes;
// SubjectPublicKeyInfo of an uncompressed P-384 point: 23 octets of DER, then the point.
constexpr std::size_t kSpkiBytes = 120;
constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1 section 2.3.3

bool fits_p384(Bytes number) {
  return std::ranges::all_of(number.subspan(kP384Bytes), [](std::uint8_t octet) { return octet == 0; });
}

openssl::Key public_key(const LaunchKey& key) {
  if (key.curve != kCurveP384 || !fits_p384(key.qx) || !fits_p384(key.qy)) return nullptr;
  ByteArray<kPointBytes> point{kUncompressed};
  std::reverse_copy(key.qx, key.qx + kP384Bytes, point.begin() + 1);
  std::reverse_copy(key.qy, key.qy + kP384Bytes, point.begin() + 1 + kP384Bytes);
  // OSSL_PARAM has no const form; a parameter that is handed in is only read.
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(SN_secp384r1), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const openssl::KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) return nullptr;
  return openssl::Key(made);
}

}  // namespace

Result<LaunchKey> launch_key_of(const SigningKey& key) {
  if (!key.is_p384()) return Error{Errc::bad_value, "ID or author key (P-384)"};
  const Der spki = TRY(key.spki());
  if (spki.size() != kSpkiBytes || spki[kSpkiBytes - kPointBytes] != kUncompressed) {
    return Error{Errc::bad_value, "ID or author key (uncompressed point)", spki.size(), kSpkiBytes};
  }
  const Bytes point = Bytes(spki).last(2 * kP384Bytes);
  const Bytes x = point.first(kP384Bytes), y = point.last(kP384Bytes);
  LaunchKey made{};
  made.curve = kCurveP384;
  std::ranges::reverse_copy(x, made.qx);
  std::ranges::reverse_copy(y, made.qy);
  return made;
}

Result<KeyDigest> digest_of(const LaunchKey& key) {
  return crypto::sha384({octets_of(key)});
}

bool verifies(const LaunchKey& key, const snp::RawSignature& signature, Bytes message) {
  const openssl::ErrorScope errors;
  if (!fits_p384(signature.r) || !fits_p384(signature.s)) return false;
  return openssl::verifies_p384(public_key(key).get(), signature, message);
}

}  // namespace attestbed::sim
