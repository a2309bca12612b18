// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/rsa.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

using openssl::SecretNumber;

/// number reads a secret; null if OpenSSL has no memory. Marked secret and constant-time, so that OpenSSL wipes its
/// copies and takes its careful paths.
SecretNumber number(Bytes octets) {
  SecretNumber made(BN_secure_new());
  if (!made || BN_bin2bn(octets.data(), static_cast<int>(octets.size()), made.get()) == nullptr) return nullptr;
  BN_set_flags(made.get(), BN_FLG_CONSTTIME);
  return made;
}

SecretNumber empty() {
  SecretNumber made(BN_secure_new());
  if (made) BN_set_flags(made.get(), BN_FLG_CONSTTIME);
  return made;
}

bool write(const BIGNUM* from, MutBytes into) {
  return BN_bn2binpad(from, into.data(), static_cast<int>(into.size())) == static_cast<int>(into.size());
}

/// import_private makes OpenSSL's form of a key. Null if it cannot.
openssl::Key import_private(const RsaKey& key) {
  const RsaKey::Parts& parts = key.parts();
  const SecretNumber n = number(key.public_key().n), e = number(kRsaExponent), d = number(parts.d.expose());
  const SecretNumber p = number(parts.p.expose()), q = number(parts.q.expose());
  const SecretNumber dp = number(parts.dp.expose()), dq = number(parts.dq.expose()), qinv = number(parts.qinv.expose());
  if (!n || !e || !d || !p || !q || !dp || !dq || !qinv) return nullptr;
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_D, d.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_FACTOR1, p.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_FACTOR2, q.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qinv.get()) != 1) {
    return nullptr;
  }
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) return nullptr;
  return openssl::Key(made);
}

openssl::Key import_public(const RsaPublicKey& key) {
  const openssl::Number n(BN_bin2bn(key.n.data(), static_cast<int>(key.n.size()), nullptr));
  const openssl::Number e(BN_bin2bn(kRsaExponent.data(), static_cast<int>(kRsaExponent.size()), nullptr));
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return nullptr;
  return openssl::Key(made);
}

/// choose_oaep sets RSAES-OAEP with SHA-256 twice, by name: neither hash may follow from the other's default.
bool choose_oaep(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA2-256", nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA2-256", nullptr) == 1;
}

}  // namespace

Result<bool> rsa_is_prime(const RsaPrime& candidate) {
  const openssl::ErrorScope errors;
  const openssl::NumberContext scratch(BN_CTX_secure_new_ex(openssl::library_context()));
  const SecretNumber value = number(candidate.expose());
  const int verdict = scratch && value ? BN_check_prime(value.get(), scratch.get(), nullptr) : -1;
  if (verdict < 0) return Error{Errc::internal, "RSA.prime"};
  return verdict == 1;
}

Result<RsaPublicKey> rsa_derive(RsaKey::Parts& parts) {
  const openssl::ErrorScope errors;
  const Error failed{Errc::internal, "RSA.derive"};
  const openssl::NumberContext scratch(BN_CTX_secure_new_ex(openssl::library_context()));
  const SecretNumber p = number(parts.p.expose()), q = number(parts.q.expose()), e = number(kRsaExponent);
  const SecretNumber n = empty(), p1 = empty(), q1 = empty(), product = empty(), common = empty(), lcm = empty();
  const SecretNumber d = empty(), dp = empty(), dq = empty(), qinv = empty();
  if (!scratch || !p || !q || !e || !n || !p1 || !q1 || !product || !common || !lcm || !d || !dp || !dq || !qinv) {
    return failed;
  }
  BN_CTX* const with = scratch.get();
  // d is the inverse of e modulo lcm(p-1, q-1), as FIPS 186-5 has it.
  if (BN_mul(n.get(), p.get(), q.get(), with) != 1) return failed;
  if (BN_num_bits(n.get()) != int{8 * kRsaModulusBytes}) return Error{Errc::bad_value, "RSA.n"};
  if (BN_sub(p1.get(), p.get(), BN_value_one()) != 1 || BN_sub(q1.get(), q.get(), BN_value_one()) != 1 ||
      BN_mul(product.get(), p1.get(), q1.get(), with) != 1 || BN_gcd(common.get(), p1.get(), q1.get(), with) != 1 ||
      BN_div(lcm.get(), nullptr, product.get(), common.get(), with) != 1) {
    return failed;
  }
  if (BN_mod_inverse(d.get(), e.get(), lcm.get(), with) == nullptr) return Error{Errc::bad_value, "RSA.e"};
  // Step 3b of A.1.1. Only primes that nearly divide each other have such a d.
  if (BN_num_bits(d.get()) <= int{4 * kRsaModulusBytes}) return Error{Errc::bad_value, "RSA.d"};
  if (BN_mod_inverse(qinv.get(), q.get(), p.get(), with) == nullptr) return Error{Errc::bad_value, "RSA.q"};
  RsaPublicKey made;
  if (BN_mod(dp.get(), d.get(), p1.get(), with) != 1 || BN_mod(dq.get(), d.get(), q1.get(), with) != 1 ||
      !write(d.get(), parts.d.expose_mut()) || !write(dp.get(), parts.dp.expose_mut()) ||
      !write(dq.get(), parts.dq.expose_mut()) || !write(qinv.get(), parts.qinv.expose_mut()) ||
      !write(n.get(), made.n)) {
    return failed;
  }
  return made;
}

Result<Secret<32>> rsa_oaep_sha256_open(const RsaKey& key, const RsaWrappedKey& wrapped) {
  const openssl::ErrorScope errors;
  const openssl::Key own = import_private(key);
  const openssl::KeyContext open(own ? EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), own.get(), nullptr)
                                     : nullptr);
  if (!open || EVP_PKEY_decrypt_init(open.get()) != 1 || !choose_oaep(open.get())) {
    return Error{Errc::internal, "RSA-OAEP-256"};
  }
  // Room for the longest text that OAEP could carry: what another length means is decided after the padding was.
  Secret<kRsaModulusBytes> text;
  std::size_t size = text.expose().size();
  if (EVP_PKEY_decrypt(open.get(), text.expose_mut().data(), &size, wrapped.data(), wrapped.size()) != 1 ||
      size != 32) {
    return Error{Errc::unwrap_failed, "wrapped_cek"};
  }
  return Secret<32>(text.expose().first<32>());
}

Result<RsaWrappedKey> rsa_oaep_sha256_seal(const RsaPublicKey& recipient, const Secret<32>& key) {
  const openssl::ErrorScope errors;
  const openssl::Key peer = import_public(recipient);
  const openssl::KeyContext seal(peer ? EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), peer.get(), nullptr)
                                      : nullptr);
  RsaWrappedKey wrapped;
  std::size_t size = wrapped.size();
  if (!seal || EVP_PKEY_encrypt_init(seal.get()) != 1 || !choose_oaep(seal.get()) ||
      EVP_PKEY_encrypt(seal.get(), wrapped.data(), &size, key.expose().data(), key.expose().size()) != 1 ||
      size != wrapped.size()) {
    return Error{Errc::internal, "RSA-OAEP-256"};
  }
  return wrapped;
}

}  // namespace attestbed::crypto
