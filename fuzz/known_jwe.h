// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/jwe.h"

namespace attestbed::fuzz {

/// KnownJwe is a guest key and a secret that was sealed to it. `decryption.aad` views `aad`.
struct KnownJwe {
  protocol::GuestKey key;
  Secret<32> cek;
  std::string header, aad, plaintext, ciphertext;
  protocol::Decryption decryption;
};

/// known_jwe is the case `plain` of core/testdata/aproxy-vectors.json for P-521, and that of docs/vectors for the other
/// kinds of key. It reads the vectors at first use, and ends the program if it cannot.
const KnownJwe& known_jwe(protocol::KeyType key);

}  // namespace attestbed::fuzz
