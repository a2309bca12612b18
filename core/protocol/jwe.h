// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/ecdh.h"

namespace attestbed::protocol {

/// The header text, decoded, may have this many octets; `aad` is its base64url form.
inline constexpr std::size_t kMaxHeaderBytes = 1024;
inline constexpr std::size_t kMaxAadBytes = base64_encoded_size(Base64::url, kMaxHeaderBytes);

/// Decryption is what the guest needs beside the ciphertext. All lengths but aad's are in the types.
///   aad  the ASCII of the JWE's `protected` member, verbatim; at most kMaxAadBytes; views the receive buffer
struct Decryption {
  crypto::EcPoint epk;
  crypto::WrappedKey wrapped_cek;
  Bytes aad;
  crypto::GcmIv iv;
  crypto::GcmTag tag;
};

/// jwe_open decrypts `ciphertext` in place: ECDH-ES+A256KW (RFC 7518 section 4.6), A256GCM. The protected header is
/// judged first: alg ECDH-ES+A256KW, enc A256GCM, epk as the point beside it; no apu, apv, crit, zip.
///   returns  the plaintext, a view of `ciphertext`'s memory
///   errors   too_large, bad_base64, JSON codes, jwe_header, jwe_epk_mismatch, bad_point, unwrap_failed, tag_failed
///            (`ciphertext` is wiped)
Result<MutBytes> jwe_open(const crypto::EcKey& key, const Decryption& decryption, MutBytes ciphertext);

}  // namespace attestbed::protocol
