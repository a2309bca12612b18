// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/openssl/p384_signature.h"

#include "core/crypto/openssl/library.h"

namespace attestbed::openssl {
namespace {

constexpr int kP384Bytes = 48;

/// DerSignature is ECDSA-Sig-Value; `octets` is empty if OpenSSL had no memory.
struct DerSignature {
  Octets octets;
  std::size_t size = 0;
};

DerSignature der_signature(const snp::RawSignature& raw) {
  Number r(BN_lebin2bn(raw.r, kP384Bytes, nullptr)), s(BN_lebin2bn(raw.s, kP384Bytes, nullptr));
  const EcdsaSignature signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  // set0 took both numbers over.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &encoded);
  return {Octets(encoded), length > 0 ? static_cast<std::size_t>(length) : 0};
}

}  // namespace

bool verifies_p384(EVP_PKEY* key, const snp::RawSignature& signature, Bytes message) {
  const ErrorScope errors;
  const DerSignature der = der_signature(signature);
  const DigestContext context(EVP_MD_CTX_new());
  return key != nullptr && der.size != 0 && context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA384", library_context(), nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), der.octets.get(), der.size, message.data(), message.size()) == 1;
}

}  // namespace attestbed::openssl
