// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/jwe.h"

namespace attestbed::fuzz {

/// KnownJwe is the case `plain` of core/testdata/aproxy-vectors.json: a guest key and a secret that was sealed to it.
/// `decryption.aad` views `aad`.
struct KnownJwe {
  crypto::EcKey key;
  Secret<32> cek;
  std::string header, aad, plaintext, ciphertext;
  protocol::Decryption decryption;
};

/// known_jwe reads the vector at first use, and ends the program if it cannot.
const KnownJwe& known_jwe();

}  // namespace attestbed::fuzz
