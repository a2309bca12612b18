// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace attestbed::sim {

/// Seed makes a run repeatable; a machine without one is random. A seeded machine protects nothing: whoever knows the
/// seed knows its keys.
using Seed = std::uint64_t;

/// CryptoContext is OpenSSL for one simulated machine: a library context of its own that reads no configuration file
/// and, when seeded, has no randomness but the seed's.
class CryptoContext {
 public:
  /// make fails with `internal` if OpenSSL cannot be set up.
  static Result<std::shared_ptr<const CryptoContext>> make(std::optional<Seed> seed);

  /// derived makes a context whose randomness is that of `root`, at most 32 octets, alone: what a chip derives from its
  /// fuses. A root of eight octets is a seed, little-endian.
  static Result<std::shared_ptr<const CryptoContext>> derived(Bytes root);
  ~CryptoContext();
  CryptoContext(const CryptoContext&) = delete;
  CryptoContext& operator=(const CryptoContext&) = delete;

  /// begin names the operation that follows in this thread and returns the library context for it. When seeded, the
  /// operation's randomness depends on seed, label and input alone: not on what ran before it nor on other threads.
  Result<OSSL_LIB_CTX*> begin(std::string_view label, Bytes input = {}) const;

  /// root is what all randomness comes from; empty in a context that is random.
  Bytes root() const { return root_.expose(); }

 private:
  struct Parts;
  CryptoContext(std::unique_ptr<Parts> parts, Bytes root);
  std::unique_ptr<Parts> parts_;
  SecretBuffer<32> root_;
};

}  // namespace attestbed::sim
