// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace attestbed::crypto {

/// ecdh_es_a256kw_kek derives the key-wrapping key of ECDH-ES+A256KW from the shared secret `z`: one round of the
/// SHA-256 Concat KDF with empty PartyUInfo and PartyVInfo (RFC 7518 section 4.6.2, SP 800-56C). Errors: internal.
Result<Secret<32>> ecdh_es_a256kw_kek(Bytes z);

/// kEcdhEsOtherInfo is the fixed OtherInfo of that derivation: AlgorithmID, two empty parties, 256 key bits.
inline constexpr ByteArray<30> kEcdhEsOtherInfo{0x00, 0x00, 0x00, 0x0e, 'E',  'C',  'D',  'H',  '-',  'E',
                                                'S',  '+',  'A',  '2',  '5',  '6',  'K',  'W',  0x00, 0x00,
                                                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00};

}  // namespace attestbed::crypto
