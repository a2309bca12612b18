// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aes_key_wrap.h"

#include <cstring>

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

enum class Direction : int { unwrap = 0, wrap = 1 };

// EVP may write up to a block more than it was given; what it writes there must be ours and be wiped.
using Scratch = Secret<48>;

/// start makes a context for `direction`; null if this OpenSSL cannot. The default IV of RFC 3394 is meant by none.
openssl::CipherContext start(Direction direction, const Secret<32>& kek) {
  const EVP_CIPHER* const algorithm = openssl::library().aes256_wrap.get();
  openssl::CipherContext context(EVP_CIPHER_CTX_new());
  if (algorithm == nullptr || !context) return nullptr;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context.get(), algorithm, kek.expose().data(), nullptr, static_cast<int>(direction),
                         nullptr) != 1) {
    return nullptr;
  }
  return context;
}

/// run is true if exactly `expected` octets came out.
bool run(EVP_CIPHER_CTX* context, Bytes from, Scratch& to, std::size_t expected) {
  int written = 0;
  return EVP_CipherUpdate(context, to.expose_mut().data(), &written, from.data(), static_cast<int>(from.size())) == 1 &&
         static_cast<std::size_t>(written) == expected;
}

}  // namespace

Result<Secret<32>> aes256_unwrap(const Secret<32>& kek, const WrappedKey& wrapped) {
  const openssl::ErrorScope errors;
  const openssl::CipherContext context = start(Direction::unwrap, kek);
  if (!context) return Error{Errc::internal, "AES-256-WRAP"};
  Scratch key;
  if (!run(context.get(), wrapped, key, 32)) return Error{Errc::unwrap_failed, "wrapped_cek"};
  return Secret<32>(key.expose().first<32>());
}

Result<WrappedKey> aes256_wrap(const Secret<32>& kek, const Secret<32>& key) {
  const openssl::ErrorScope errors;
  const openssl::CipherContext context = start(Direction::wrap, kek);
  Scratch scratch;
  WrappedKey wrapped;
  if (!context || !run(context.get(), key.expose(), scratch, wrapped.size())) {
    return Error{Errc::internal, "AES-256-WRAP"};
  }
  std::memcpy(wrapped.data(), scratch.expose().data(), wrapped.size());
  return wrapped;
}

}  // namespace attestbed::crypto
