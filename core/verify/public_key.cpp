// SPDX-License-Identifier: Apache-2.0
#include "core/verify/public_key.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "core/crypto/openssl/library.h"

namespace attestbed::verify {
namespace {

constexpr std::size_t kP384PointBytes = 97;
constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1 section 2.3.3
constexpr int kPssSaltBytes = 48;

struct FreeSequence {
  void operator()(ASN1_SEQUENCE_ANY* sequence) const { sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free); }
};
using Sequence = std::unique_ptr<ASN1_SEQUENCE_ANY, FreeSequence>;

openssl::Key from_data(const char* type, OSSL_PARAM* params) {
  const openssl::KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) return nullptr;
  return openssl::Key(key);
}

/// number_of is a positive INTEGER's value; null for any other type, and for the negative ones, which have their own.
openssl::Number number_of(const ASN1_TYPE* value) {
  if (ASN1_TYPE_get(value) != V_ASN1_INTEGER) return nullptr;
  return openssl::Number(ASN1_INTEGER_to_BN(value->value.integer, nullptr));
}

/// is_encoding holds if `octets` is what `sequence` encodes to: OpenSSL reads BER as well.
bool is_encoding(const ASN1_SEQUENCE_ANY* sequence, Bytes octets) {
  unsigned char* encoded = nullptr;
  const int length = i2d_ASN1_SEQUENCE_ANY(sequence, &encoded);
  const openssl::Octets owner(encoded);
  return length > 0 && std::ranges::equal(Bytes(encoded, static_cast<std::size_t>(length)), octets);
}

/// rsa_key reads RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 A.1.1).
openssl::Key rsa_key(Bytes octets) {
  const unsigned char* at = octets.data();
  const Sequence sequence(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(octets.size())));
  if (!sequence || sk_ASN1_TYPE_num(sequence.get()) != 2 || !is_encoding(sequence.get(), octets)) return nullptr;
  const openssl::Number modulus = number_of(sk_ASN1_TYPE_value(sequence.get(), 0));
  const openssl::Number exponent = number_of(sk_ASN1_TYPE_value(sequence.get(), 1));
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  return params ? from_data("RSA", params.get()) : nullptr;
}

openssl::Key p384_key(Bytes point) {
  if (point.size() != kP384PointBytes || point[0] != kUncompressed) return nullptr;
  // OSSL_PARAM has no const form; a parameter that is handed in is only read.
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(SN_secp384r1), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(point.data()), point.size()),
      OSSL_PARAM_construct_end()};
  return from_data("EC", params);
}

struct BareContext {
  openssl::LibraryContext context{OSSL_LIB_CTX_new()};
  // Without a provider of its own a context would load the default one.
  openssl::Provider null_provider{context ? OSSL_PROVIDER_load(context.get(), "null") : nullptr};
};

}  // namespace

OSSL_LIB_CTX* certificate_context() {
  // Never freed: certificates in other static objects may outlive any order of destruction we could choose.
  static const BareContext& bare = *new BareContext;
  return bare.null_provider ? bare.context.get() : nullptr;
}

openssl::Key public_key(const X509* x509) {
  const openssl::ErrorScope errors;
  const unsigned char* octets = nullptr;
  int length = 0;
  X509_ALGOR* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(nullptr, &octets, &length, &algorithm, X509_get_X509_PUBKEY(x509)) != 1 || length <= 0) {
    return nullptr;
  }
  const Bytes key(octets, static_cast<std::size_t>(length));
  const ASN1_OBJECT* type = nullptr;
  const void* parameters = nullptr;
  int parameters_type = 0;
  X509_ALGOR_get0(&type, &parameters_type, &parameters, algorithm);
  const int id = OBJ_obj2nid(type);
  if (id == NID_rsaEncryption && parameters_type == V_ASN1_NULL) return rsa_key(key);
  if (id == NID_X9_62_id_ecPublicKey && parameters_type == V_ASN1_OBJECT &&
      OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameters)) == NID_secp384r1) {
    return p384_key(key);
  }
  return nullptr;
}

bool verifies_pss(EVP_PKEY* key, Bytes message, Bytes signature) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // belongs to `context`
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), &options, "SHA2-384", openssl::library_context(), nullptr, key,
                                 nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, kPssSaltBytes) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, "SHA2-384", nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

Bytes tbs_octets(Bytes der) {
  const unsigned char* at = der.data();
  const unsigned char* const end = at + der.size();
  const unsigned char* tbs = nullptr;
  long length = 0;
  for (int depth = 0; depth < 2; ++depth) {  // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE …
    tbs = at;
    int tag = 0, tag_class = 0;
    const int form = ASN1_get_object(&at, &length, &tag, &tag_class, end - at);
    if (form != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE || tag_class != V_ASN1_UNIVERSAL) return {};
  }
  return {tbs, at + length};
}

}  // namespace attestbed::verify
