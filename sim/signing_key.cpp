// SPDX-License-Identifier: Apache-2.0
#include "sim/signing_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/crypto/openssl/handles.h"

namespace attestbed::sim {
namespace {

constexpr unsigned kRsaBits = 4096;
constexpr int kSaltOctets = 48;
constexpr char kHash[] = "SHA384";

Error failed(const char* function) {
  return {Errc::internal, function};
}

// For both directions of a certificate's signature.
bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kSaltOctets) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, kHash, nullptr) == 1;
}

// OpenSSL's i2d functions allocate and return a length, negative on failure.
template <class Function, class Object>
Result<Der> encoded(Function function, Object* object, const char* where) {
  unsigned char* octets = nullptr;
  const int size = function(object, &octets);
  const openssl::Octets owner(octets);
  if (size <= 0) return failed(where);
  return Der(octets, octets + size);
}

}  // namespace

SigningKey::SigningKey(Context context, EVP_PKEY* key) : context_(std::move(context)), key_(key, EVP_PKEY_free) {}

Result<SigningKey> SigningKey::make_rsa4096(const Context& context, std::string_view label, Bytes input) {
  const openssl::ErrorScope errors;
  OSSL_LIB_CTX* library = TRY(context->begin(label, input));
  EVP_PKEY* key = EVP_PKEY_Q_keygen(library, nullptr, "RSA", static_cast<std::size_t>(kRsaBits));
  if (key == nullptr) return failed("RSA key generation");
  return SigningKey(context, key);
}

Result<SigningKey> SigningKey::make_p384(const Context& context, std::string_view label, Bytes input) {
  const openssl::ErrorScope errors;
  OSSL_LIB_CTX* library = TRY(context->begin(label, input));
  EVP_PKEY* key = EVP_PKEY_Q_keygen(library, nullptr, "EC", "P-384");
  if (key == nullptr) return failed("P-384 key generation");
  return SigningKey(context, key);
}

Result<SigningKey> SigningKey::from_pem(const Context& context, std::string_view text) {
  const openssl::ErrorScope errors;
  OSSL_LIB_CTX* library = TRY(context->begin("read private key"));
  const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) return failed("BIO_new_mem_buf");
  // An empty pass phrase instead of a question on the terminal.
  char no_phrase[] = "";
  SigningKey key(context, PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, nullptr, no_phrase, library, nullptr));
  if (!key.key_) return Error{Errc::bad_value, "PEM private key"};
  const bool rsa = EVP_PKEY_is_a(key.key_.get(), "RSA") == 1 && EVP_PKEY_get_bits(key.key_.get()) == kRsaBits;
  if (!rsa && !key.is_p384()) return Error{Errc::bad_value, "private key (RSA-4096 or P-384)"};
  return key;
}

Result<std::string> SigningKey::to_pem() const {
  const openssl::ErrorScope errors;
  TRY(context_->begin("write private key"));
  const openssl::Bio bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("PEM_write_bio_PKCS8PrivateKey");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  if (size <= 0) return failed("BIO_get_mem_data");
  return std::string(text, static_cast<std::size_t>(size));
}

bool SigningKey::is_p384() const {
  char group[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key_.get(), "EC") == 1 && EVP_PKEY_get_group_name(key_.get(), group, sizeof group, &size) == 1 &&
         std::string_view(group) == "secp384r1";
}

Result<Der> SigningKey::spki() const {
  return encoded(i2d_PUBKEY, key_.get(), "i2d_PUBKEY");
}

Result<KeyId> SigningKey::key_id() const {
  const Der key = TRY(encoded(i2d_PublicKey, key_.get(), "i2d_PublicKey"));
  OSSL_LIB_CTX* library = TRY(context_->begin("key identifier"));
  KeyId id{};
  if (EVP_Q_digest(library, "SHA1", nullptr, key.data(), key.size(), id.data(), nullptr) != 1) return failed("SHA-1");
  return id;
}

Result<Der> SigningKey::sign_certificate(Bytes tbs) const {
  const openssl::ErrorScope errors;
  OSSL_LIB_CTX* library = TRY(context_->begin("sign certificate", tbs));
  const openssl::DigestContext digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `digest`
  if (!digest || EVP_DigestSignInit_ex(digest.get(), &parameters, kHash, library, nullptr, key_.get(), nullptr) != 1 ||
      !set_pss(parameters)) {
    return failed("EVP_DigestSignInit_ex");
  }
  Der signature(kRsaBits / 8);
  std::size_t size = signature.size();
  if (EVP_DigestSign(digest.get(), signature.data(), &size, tbs.data(), tbs.size()) != 1 || size != signature.size()) {
    return failed("EVP_DigestSign");
  }
  return signature;
}

bool SigningKey::signed_certificate(Bytes tbs, Bytes signature) const {
  const openssl::ErrorScope errors;
  const Result<OSSL_LIB_CTX*> library = context_->begin("verify certificate", tbs);
  const openssl::DigestContext digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by `digest`
  return library && digest &&
         EVP_DigestVerifyInit_ex(digest.get(), &parameters, kHash, *library, nullptr, key_.get(), nullptr) == 1 &&
         set_pss(parameters) &&
         EVP_DigestVerify(digest.get(), signature.data(), signature.size(), tbs.data(), tbs.size()) == 1;
}

Result<snp::RawSignature> SigningKey::sign_report(Bytes signed_part) const {
  const openssl::ErrorScope errors;
  OSSL_LIB_CTX* library = TRY(context_->begin("sign report", signed_part));
  const openssl::DigestContext digest(EVP_MD_CTX_new());
  if (!digest || EVP_DigestSignInit_ex(digest.get(), nullptr, kHash, library, nullptr, key_.get(), nullptr) != 1) {
    return failed("EVP_DigestSignInit_ex");
  }
  ByteArray<128> der{};
  std::size_t size = der.size();
  if (EVP_DigestSign(digest.get(), der.data(), &size, signed_part.data(), signed_part.size()) != 1) {
    return failed("EVP_DigestSign");
  }
  const unsigned char* at = der.data();
  const openssl::EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  snp::RawSignature raw{};
  if (!signature || BN_bn2lebinpad(ECDSA_SIG_get0_r(signature.get()), raw.r, sizeof raw.r) != sizeof raw.r ||
      BN_bn2lebinpad(ECDSA_SIG_get0_s(signature.get()), raw.s, sizeof raw.s) != sizeof raw.s) {
    return failed("ECDSA signature");
  }
  return raw;
}

}  // namespace attestbed::sim
