// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

// OpenSSL objects as values: each handle owns one reference and gives it back when it goes. Functions of OpenSSL whose
// name has a 0 ("get0") lend, and are never put into a handle; those with a 1, `_new`, `_fetch` and `d2i_` give.
namespace attestbed::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// FreeOctets frees what OpenSSL allocated for the caller (i2d_* and *_get1_* buffers); OPENSSL_free is a macro.
struct FreeOctets {
  void operator()(void* octets) const { OPENSSL_free(octets); }
};

/// FreeCertificates frees a stack and every certificate in it.
struct FreeCertificates {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

using LibraryContext = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using Provider = Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload>;
using Params = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using ParamBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

using Digest = Handle<EVP_MD, EVP_MD_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Cipher = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Mac = Handle<EVP_MAC, EVP_MAC_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using Rand = Handle<EVP_RAND, EVP_RAND_free>;
using RandContext = Handle<EVP_RAND_CTX, EVP_RAND_CTX_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

using Number = Handle<BIGNUM, BN_free>;
using SecretNumber = Handle<BIGNUM, BN_clear_free>;
using NumberContext = Handle<BN_CTX, BN_CTX_free>;
using Group = Handle<EC_GROUP, EC_GROUP_free>;
using GroupPoint = Handle<EC_POINT, EC_POINT_free>;
using EcdsaSignature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

using Bio = Handle<BIO, BIO_free_all>;
using Octets = std::unique_ptr<unsigned char, FreeOctets>;
using X509Handle = Handle<X509, X509_free>;
using X509Stack = std::unique_ptr<STACK_OF(X509), FreeCertificates>;
using X509NameHandle = Handle<X509_NAME, X509_NAME_free>;
using X509ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using X509StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using X509StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using X509CrlHandle = Handle<X509_CRL, X509_CRL_free>;
using Asn1Integer = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using Asn1Octets = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using Asn1Time = Handle<ASN1_TIME, ASN1_TIME_free>;

/// ErrorScope takes back what OpenSSL put into the calling thread's error queue during its life: our errors are
/// Results, and a queue left behind would be read as the cause of somebody else's failure. What was queued before
/// stays.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ~ErrorScope() { ERR_pop_to_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

}  // namespace attestbed::openssl
