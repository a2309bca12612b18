// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/crypto/sha2.h"
#include "core/platform/entropy.h"
#include "sim/crypto_context.h"

namespace attestbed::sim {

/// SeededEntropy yields SHA-256(seed, label, counter), block after block: for tests and seeded runs ONLY, since whoever
/// knows the seed knows every key made from it. Different labels give unrelated streams. One thread at a time.
class SeededEntropy final : public Entropy {
 public:
  SeededEntropy(Seed seed, std::string_view label);
  Status fill(MutBytes into) override;

 private:
  Result<crypto::Sha256Digest> key_;
  crypto::Sha256Digest block_{};
  std::size_t used_ = block_.size();
  std::uint64_t counter_ = 0;
};

}  // namespace attestbed::sim
