// SPDX-License-Identifier: Apache-2.0
#include "sim/crypto_context.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "core/base/wire.h"
#include "core/crypto/openssl/handles.h"
#include "core/crypto/sha2.h"
#include "sim/seeded_rand.h"

namespace attestbed::sim {

struct CryptoContext::Parts {
  openssl::LibraryContext library;  // first, so that it goes last
  openssl::Provider algorithms;
  openssl::Provider randomness;
};

CryptoContext::CryptoContext(std::unique_ptr<Parts> parts, Bytes root) : parts_(std::move(parts)) {
  std::ranges::copy(root, root_.expose_mut(root.size()).begin());
}
CryptoContext::~CryptoContext() = default;

Result<std::shared_ptr<const CryptoContext>> CryptoContext::make(std::optional<Seed> seed) {
  if (!seed) return derived({});
  const le64 octets = *seed;
  return derived({reinterpret_cast<const std::uint8_t*>(&octets), sizeof octets});
}

Result<std::shared_ptr<const CryptoContext>> CryptoContext::derived(Bytes root) {
  if (root.size() > decltype(root_)::capacity()) return Error{Errc::bad_length, "root secret", root.size(), 32};
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  auto parts = std::make_unique<Parts>();
  parts->library.reset(OSSL_LIB_CTX_new());
  if (!parts->library) return Error{Errc::internal, "OSSL_LIB_CTX_new"};
  if (!root.empty()) {
    OSSL_PROVIDER* provider = nullptr;
    const bool installed = install_seeded_rand(parts->library.get(), &provider);
    parts->randomness.reset(provider);
    if (!installed) return Error{Errc::internal, "seeded RAND provider"};
  }
  parts->algorithms.reset(OSSL_PROVIDER_load(parts->library.get(), "default"));
  if (!parts->algorithms) return Error{Errc::internal, "OpenSSL default provider"};
  return std::shared_ptr<const CryptoContext>(new CryptoContext(std::move(parts), root));
}

Result<OSSL_LIB_CTX*> CryptoContext::begin(std::string_view label, Bytes input) const {
  OSSL_LIB_CTX* library = parts_->library.get();
  if (root_.size() == 0) return library;
  const le64 length = label.size();
  const Bytes length_octets{reinterpret_cast<const std::uint8_t*>(&length), sizeof length};
  const auto key = TRY(crypto::sha256({root_.expose(), length_octets, bytes_of(label), input}));
  if (!set_rand_key(library, key)) return Error{Errc::internal, "seeded RAND key"};
  return library;
}

}  // namespace attestbed::sim
