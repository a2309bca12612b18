// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"

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
  ~CryptoContext();
  CryptoContext(const CryptoContext&) = delete;
  CryptoContext& operator=(const CryptoContext&) = delete;

  /// begin names the operation that follows in this thread and returns the library context for it. When seeded, the
  /// operation's randomness depends on seed, label and input alone: not on what ran before it nor on other threads.
  Result<OSSL_LIB_CTX*> begin(std::string_view label, Bytes input = {}) const;

  std::optional<Seed> seed() const { return seed_; }

 private:
  struct Parts;
  CryptoContext(std::unique_ptr<Parts> parts, std::optional<Seed> seed);
  std::unique_ptr<Parts> parts_;
  std::optional<Seed> seed_;
};

}  // namespace attestbed::sim
