// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/platform/entropy.h"
#include "core/protocol/guest_key.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// jwe_seal encrypts `plaintext` to `recipient`: the broker's half of ECDH-ES+A256KW with A256GCM (RFC 7516, RFC 7518
/// section 4.6), as a flattened JWE: protected, encrypted_key, iv, ciphertext, tag. Ephemeral key, content key and IV
/// come from `entropy` in this order and serve this one message.
///   errors  key_unsupported unless the key is on P-521's curve type; bad_point, internal, what Entropy returns
///   spec    RFC 7516 section 7.2.2, RFC 7518 section 4.6; the header's members and their order are Trustee's
Checked<std::string> jwe_seal(const protocol::GuestPublicKey& recipient, Bytes plaintext, Entropy& entropy);

}  // namespace attestbed::kbs
