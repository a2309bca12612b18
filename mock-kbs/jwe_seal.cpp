// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/jwe_seal.h"

#include <vector>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/concat_kdf.h"
#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

// Every value is base64url or a fixed name, so the texts are put together as they are: nothing needs escaping.
std::string protected_header(const crypto::EcPoint& epk) {
  return R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"P-521","kty":"EC","x":")" + base64url(epk.x()) +
         R"(","y":")" + base64url(epk.y()) + R"("}})";
}

}  // namespace

Checked<std::string> jwe_seal(const protocol::GuestPublicKey& recipient, Bytes plaintext, Entropy& entropy) {
  if (recipient.type != protocol::KeyType::p521) {
    return Refusal{Errc::key_unsupported, "tee-pubkey.crv", "P-521", protocol::key_type_name(recipient.type)};
  }
  crypto::EcKey ephemeral;
  TRY(checked(ephemeral.generate(crypto::Curve::p521, entropy)));
  crypto::EcSharedSecret z;
  TRY(checked(crypto::ecdh(ephemeral, recipient.ec, z)));
  const Secret<32> kek = TRY(checked(crypto::ecdh_es_a256kw_kek(z.expose())));
  Secret<32> cek;
  TRY(checked(entropy.fill(cek.expose_mut())));
  const crypto::WrappedKey wrapped = TRY(checked(crypto::aes256_wrap(kek, cek)));
  crypto::GcmIv iv;
  TRY(checked(entropy.fill(iv)));

  const std::string aad = base64url(protected_header(ephemeral.point()));
  std::vector<std::uint8_t> ciphertext(plaintext.size());
  const crypto::GcmTag tag = TRY(checked(crypto::aes256gcm_seal(cek, iv, bytes_of(aad), plaintext, ciphertext)));
  return R"({"protected":")" + aad + R"(","encrypted_key":")" + base64url(wrapped) + R"(","iv":")" + base64url(iv) +
         R"(","ciphertext":")" + base64url(ciphertext) + R"(","tag":")" + base64url(tag) + R"("})";
}

}  // namespace attestbed::kbs
