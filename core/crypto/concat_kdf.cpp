// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/concat_kdf.h"

#include "core/crypto/sha2.h"

namespace attestbed::crypto {

Result<Secret<32>> ecdh_es_a256kw_kek(Bytes z) {
  static constexpr ByteArray<4> kRound{0, 0, 0, 1};
  Sha256Digest digest = TRY(sha256({kRound, z, kEcdhEsOtherInfo}));
  Secret<32> kek{std::span<const std::uint8_t, 32>(digest)};
  wipe(digest);
  return kek;
}

}  // namespace attestbed::crypto
