// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aes_gcm.h"

#include <climits>

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

enum class Direction : int { open = 0, seal = 1 };

Status check_lengths(Bytes aad, Bytes from, MutBytes to) {
  constexpr std::size_t kMaxOctets = INT_MAX;  // EVP counts in int
  if (from.size() != to.size()) return Error{Errc::bad_length, "AES-256-GCM.output", to.size(), from.size()};
  if (from.size() > kMaxOctets) return Error{Errc::too_large, "AES-256-GCM.input", from.size(), kMaxOctets};
  if (aad.size() > kMaxOctets) return Error{Errc::too_large, "AES-256-GCM.aad", aad.size(), kMaxOctets};
  return ok();
}

/// run does all but the tag, which comes after the data when sealing and before the verdict when opening.
bool run(EVP_CIPHER_CTX* context, Direction direction, const Secret<32>& key, const GcmIv& iv, Bytes aad, Bytes from,
         MutBytes to) {
  const EVP_CIPHER* const algorithm = openssl::library().aes256_gcm.get();
  if (context == nullptr || algorithm == nullptr) return false;
  if (EVP_CipherInit_ex2(context, algorithm, key.expose().data(), iv.data(), static_cast<int>(direction), nullptr) !=
      1) {
    return false;
  }
  int written = 0;
  if (!aad.empty() && EVP_CipherUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) != 1) {
    return false;
  }
  if (from.empty()) return true;
  const int size = static_cast<int>(from.size());
  return EVP_CipherUpdate(context, to.data(), &written, from.data(), size) == 1 && written == size;
}

}  // namespace

Result<GcmTag> aes256gcm_seal(const Secret<32>& key, const GcmIv& iv, Bytes aad, Bytes plaintext, MutBytes ciphertext) {
  TRY(check_lengths(aad, plaintext, ciphertext));
  const openssl::ErrorScope errors;
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  GcmTag tag;
  std::uint8_t none = 0;
  int written = 0;
  if (!run(context.get(), Direction::seal, key, iv, aad, plaintext, ciphertext) ||
      EVP_CipherFinal_ex(context.get(), &none, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()) != 1) {
    wipe(ciphertext);  // in place, half of it would still be plaintext
    return Error{Errc::internal, "AES-256-GCM.seal"};
  }
  return tag;
}

Status aes256gcm_open(const Secret<32>& key, const GcmIv& iv, Bytes aad, Bytes ciphertext, const GcmTag& tag,
                      MutBytes plaintext) {
  TRY(check_lengths(aad, ciphertext, plaintext));
  const openssl::ErrorScope errors;
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  GcmTag expected = tag;  // EVP takes it through a pointer to mutable octets
  if (!run(context.get(), Direction::open, key, iv, aad, ciphertext, plaintext) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()), expected.data()) !=
          1) {
    wipe(plaintext);
    return Error{Errc::internal, "AES-256-GCM.open"};
  }
  std::uint8_t none = 0;
  int written = 0;
  if (EVP_CipherFinal_ex(context.get(), &none, &written) != 1) {
    wipe(plaintext);
    return Error{Errc::tag_failed, "AES-256-GCM.tag"};
  }
  return ok();
}

}  // namespace attestbed::crypto
