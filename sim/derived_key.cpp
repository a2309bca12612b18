// SPDX-License-Identifier: Apache-2.0
#include "sim/derived_key.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "core/crypto/openssl/library.h"

namespace attestbed::sim {
namespace {

using Kdf = openssl::Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = openssl::Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

constexpr std::string_view kLabel = "attestbed derived key";

// OSSL_PARAM has no const form; a parameter that is handed in is only read.
OSSL_PARAM text(const char* key, const char* value) {
  return OSSL_PARAM_construct_utf8_string(key, const_cast<char*>(value), 0);
}
OSSL_PARAM octets(const char* key, Bytes value) {
  return OSSL_PARAM_construct_octet_string(key, const_cast<std::uint8_t*>(value.data()), value.size());
}

}  // namespace

Result<snp::DerivedKey> derive_key(const Secret<32>& root, const DerivationInput& input) {
  const openssl::ErrorScope errors;
  static const Kdf kbkdf(EVP_KDF_fetch(openssl::library_context(), "KBKDF", nullptr));
  if (!kbkdf) return Error{Errc::internal, "KBKDF"};
  const KdfContext context(EVP_KDF_CTX_new(kbkdf.get()));
  const Bytes info(reinterpret_cast<const std::uint8_t*>(&input), sizeof input);
  const OSSL_PARAM params[] = {text(OSSL_KDF_PARAM_MODE, "COUNTER"),
                               text(OSSL_KDF_PARAM_MAC, "HMAC"),
                               text(OSSL_KDF_PARAM_DIGEST, "SHA2-256"),
                               octets(OSSL_KDF_PARAM_KEY, root.expose()),
                               octets(OSSL_KDF_PARAM_SALT, bytes_of(kLabel)),
                               octets(OSSL_KDF_PARAM_INFO, info),
                               OSSL_PARAM_construct_end()};
  snp::DerivedKey key;
  const auto out = key.expose_mut();
  if (!context || EVP_KDF_derive(context.get(), out.data(), out.size(), params) != 1) {
    return Error{Errc::internal, "KBKDF"};
  }
  return key;
}

}  // namespace attestbed::sim
