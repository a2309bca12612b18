// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/openssl/library.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>

namespace attestbed::openssl {
namespace {

// Whoever initialises OpenSSL first decides for the process whether it reads OPENSSL_CONF, a file that may name code to
// load. Other libraries do that behind our back (libcurl when it is set up, cpp-httplib even before main), so the
// promise is made before the constructors of shared libraries run. The array holds the entries of a program alone,
// which is all that we link into.
void promise_to_read_no_configuration() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}
[[gnu::section(".preinit_array"), gnu::used]] void (*const before_everything)() = promise_to_read_no_configuration;

Key domain_parameters(OSSL_LIB_CTX* context, crypto::Curve curve) {
  OSSL_PARAM params[] = {group_parameter(curve), OSSL_PARAM_construct_end()};
  const KeyContext make(EVP_PKEY_CTX_new_from_name(context, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!make || EVP_PKEY_fromdata_init(make.get()) <= 0) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &key, EVP_PKEY_KEY_PARAMETERS, params) <= 0) return nullptr;
  return Key(key);
}

CurveParts curve_parts(OSSL_LIB_CTX* context, crypto::Curve curve) {
  CurveParts parts;
  const int id = curve == crypto::Curve::p256 ? NID_X9_62_prime256v1 : NID_secp521r1;
  parts.group.reset(EC_GROUP_new_by_curve_name_ex(context, nullptr, id));
  const int width = static_cast<int>(crypto::coordinate_bytes(curve));
  if (!parts.group || BN_bn2binpad(EC_GROUP_get0_order(parts.group.get()), parts.order.data(), width) != width) {
    return {};
  }
  parts.parameters = domain_parameters(context, curve);
  return parts;
}

Library* make_library() {
  const ErrorScope errors;
  auto made = std::make_unique<Library>();
  made->context.reset(OSSL_LIB_CTX_new());
  OSSL_LIB_CTX* const context = made->context.get();
  // A null context would mean the process's default one, which others configure.
  if (context == nullptr) return made.release();
  made->provider.reset(OSSL_PROVIDER_load(context, "default"));
  made->sha256.reset(EVP_MD_fetch(context, "SHA2-256", nullptr));
  made->sha384.reset(EVP_MD_fetch(context, "SHA2-384", nullptr));
  made->sha512.reset(EVP_MD_fetch(context, "SHA2-512", nullptr));
  made->aes256_gcm.reset(EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr));
  made->aes256_wrap.reset(EVP_CIPHER_fetch(context, "AES-256-WRAP", nullptr));
  made->p256 = curve_parts(context, crypto::Curve::p256);
  made->p521 = curve_parts(context, crypto::Curve::p521);
  return made.release();
}

}  // namespace

const Library& library() {
  // Never freed: certificates and keys in other static objects may outlive any order of destruction we could choose.
  static const Library& instance = *make_library();
  return instance;
}

OSSL_PARAM group_parameter(crypto::Curve curve) {
  const char* const name = curve == crypto::Curve::p256 ? SN_X9_62_prime256v1 : SN_secp521r1;
  // OSSL_PARAM has no const form; a parameter that is handed in is only read.
  return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(name), 0);
}

}  // namespace attestbed::openssl
