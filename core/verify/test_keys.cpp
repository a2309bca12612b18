// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "core/crypto/openssl/library.h"
#include "core/verify/test_ca.h"

namespace attestbed::verify::test {
namespace {

EVP_PKEY* pem_key(const std::string& name) {
  const Octets pem = read_testdata("keys/" + name + ".key.pem");
  const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, nullptr, nullptr, openssl::library_context(), nullptr);
}

EVP_PKEY* ec_key(const char* group, const char* encoding) {
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "EC", nullptr));
  EVP_PKEY_keygen_init(context.get());
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, const_cast<char*>(encoding), 0),
      OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX_set_params(context.get(), params);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen(context.get(), &key);
  return key;
}

}  // namespace

EVP_PKEY* ark_key() {
  static const openssl::Key key(pem_key("ark"));
  return key.get();
}
EVP_PKEY* ask_key() {
  static const openssl::Key key(pem_key("ask"));
  return key.get();
}
EVP_PKEY* foreign_key() {
  static const openssl::Key key(pem_key("foreign"));
  return key.get();
}
EVP_PKEY* rsa_2048_key() {
  static const openssl::Key key(EVP_PKEY_Q_keygen(openssl::library_context(), nullptr, "RSA", std::size_t{2048}));
  return key.get();
}
EVP_PKEY* vek_key() {
  static const openssl::Key key(ec_key("P-384", OSSL_PKEY_EC_ENCODING_GROUP));
  return key.get();
}
EVP_PKEY* p256_key() {
  static const openssl::Key key(ec_key("P-256", OSSL_PKEY_EC_ENCODING_GROUP));
  return key.get();
}
EVP_PKEY* explicit_p384_key() {
  static const openssl::Key key(ec_key("P-384", OSSL_PKEY_EC_ENCODING_EXPLICIT));
  return key.get();
}

}  // namespace attestbed::verify::test
