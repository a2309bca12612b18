// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/platform/entropy.h"
#include "core/protocol/guest_key.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// jwe_seal encrypts `plaintext` to `recipient`: the broker's half of ECDH-ES+A256KW (P-521, P-256) or RSA-OAEP-256,
/// with A256GCM, as a flattened JWE: protected, encrypted_key, iv, ciphertext, tag. Ephemeral key (EC), content key and
/// IV come from `entropy` in this order and serve this one message; the OAEP seed is the crypto library's.
///   errors  bad_point, internal, what Entropy returns
///   spec    RFC 7516 section 7.2.2, RFC 7518 sections 4.3 and 4.6; the header's members and their order are Trustee's
Checked<std::string> jwe_seal(const protocol::GuestPublicKey& recipient, Bytes plaintext, Entropy& entropy);

}  // namespace attestbed::kbs
