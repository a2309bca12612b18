// SPDX-License-Identifier: Apache-2.0
#include "sim/seeded_entropy.h"

#include "core/base/wire.h"

namespace attestbed::sim {
namespace {

Bytes octets_of(const le64& number) {
  return {reinterpret_cast<const std::uint8_t*>(&number), sizeof number};
}

Result<crypto::Sha256Digest> stream_key(Seed seed, std::string_view label) {
  const le64 seed_octets = seed;
  return crypto::sha256({bytes_of("attestbed seeded entropy "), octets_of(seed_octets), bytes_of(label)});
}

}  // namespace

SeededEntropy::SeededEntropy(Seed seed, std::string_view label) : key_(stream_key(seed, label)) {}

Status SeededEntropy::fill(MutBytes into) {
  if (!key_) return key_.error();
  for (std::uint8_t& octet : into) {
    if (used_ == block_.size()) {
      const le64 counter = counter_++;
      block_ = TRY(crypto::sha256({*key_, octets_of(counter)}));
      used_ = 0;
    }
    octet = block_[used_++];
  }
  return ok();
}

}  // namespace attestbed::sim
