// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/jwe_seal.h"

#include <vector>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/concat_kdf.h"
#include "core/crypto/rsa.h"
#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

// The content key as it travels, and the protected header that says how.
struct WrappedContentKey {
  std::string header;
  std::string encrypted_key;
};

// Every value is base64url or a fixed name, so the texts are put together as they are: nothing needs escaping.
std::string ec_header(const crypto::EcPoint& epk, protocol::KeyType type) {
  return R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":")" + std::string(protocol::key_type_name(type)) +
         R"(","kty":"EC","x":")" + base64url(epk.x()) + R"(","y":")" + base64url(epk.y()) + R"("}})";
}

Checked<WrappedContentKey> wrap_to_ec(const protocol::GuestPublicKey& recipient, const crypto::EcKey& ephemeral,
                                      const Secret<32>& cek) {
  crypto::EcSharedSecret z;
  TRY(checked(crypto::ecdh(ephemeral, recipient.ec, z)));
  const Secret<32> kek = TRY(checked(crypto::ecdh_es_a256kw_kek(z.expose())));
  const crypto::WrappedKey wrapped = TRY(checked(crypto::aes256_wrap(kek, cek)));
  return WrappedContentKey{ec_header(ephemeral.point(), recipient.type), base64url(wrapped)};
}

Checked<WrappedContentKey> wrap_to_rsa(const protocol::GuestPublicKey& recipient, const Secret<32>& cek) {
  const crypto::RsaWrappedKey wrapped = TRY(checked(crypto::rsa_oaep_sha256_seal(recipient.rsa, cek)));
  return WrappedContentKey{R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})", base64url(wrapped)};
}

}  // namespace

Checked<std::string> jwe_seal(const protocol::GuestPublicKey& recipient, Bytes plaintext, Entropy& entropy) {
  const bool ec = protocol::is_ec(recipient.type);
  crypto::EcKey ephemeral;
  if (ec) TRY(checked(ephemeral.generate(protocol::curve_of(recipient.type), entropy)));
  Secret<32> cek;
  TRY(checked(entropy.fill(cek.expose_mut())));
  const WrappedContentKey wrapped = TRY(ec ? wrap_to_ec(recipient, ephemeral, cek) : wrap_to_rsa(recipient, cek));
  crypto::GcmIv iv;
  TRY(checked(entropy.fill(iv)));

  const std::string aad = base64url(wrapped.header);
  std::vector<std::uint8_t> ciphertext(plaintext.size());
  const crypto::GcmTag tag = TRY(checked(crypto::aes256gcm_seal(cek, iv, bytes_of(aad), plaintext, ciphertext)));
  return R"({"protected":")" + aad + R"(","encrypted_key":")" + wrapped.encrypted_key + R"(","iv":")" + base64url(iv) +
         R"(","ciphertext":")" + base64url(ciphertext) + R"(","tag":")" + base64url(tag) + R"("})";
}

}  // namespace attestbed::kbs
